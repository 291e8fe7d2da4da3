/* Bytes that outlive the process: numbers in little-endian order and a checksum over them. */
#ifndef IDENTITY__BYTES_H
#define IDENTITY__BYTES_H

#include <stddef.h>
#include <stdint.h>

/* The low bytes of a number, 1 to 8. */
void identity__put_number(char *bytes, uint64_t value, size_t size);
uint64_t identity__get_number(const char *bytes, size_t size);

/* CRC-32 (that of zlib and Ethernet): finds torn and flipped bytes; no protection against forgery. Begins
 * with 0; the result for one piece is the start for the next. */
uint32_t identity__checksum(uint32_t start, const void *bytes, size_t length);

#endif
