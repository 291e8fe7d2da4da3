#include "base/bytes.h"

void identity__put_number(char *bytes, uint64_t value, size_t size) {
  for (size_t i = 0; i < size; i++)
    bytes[i] = (char)(value >> (8 * i) & 0xFF);
}

uint64_t identity__get_number(const char *bytes, size_t size) {
  uint64_t value = 0;
  for (size_t i = size; i > 0; i--)
    value = value << 8 | (uint8_t)bytes[i - 1];
  return value;
}

/* One row for each half byte: 64 bytes of table instead of 1,024, for twice the steps. */
static const uint32_t rows[16] = {
    0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
    0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
};

uint32_t identity__checksum(uint32_t start, const void *bytes, size_t length) {
  const uint8_t *byte = bytes;
  uint32_t sum = ~start;
  for (size_t i = 0; i < length; i++) {
    sum ^= byte[i];
    sum = sum >> 4 ^ rows[sum & 15];
    sum = sum >> 4 ^ rows[sum & 15];
  }
  return ~sum;
}
