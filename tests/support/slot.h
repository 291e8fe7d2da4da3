/* The file of a slot in a file store of a test, past the library. */
#ifndef SUPPORT_SLOT_H
#define SUPPORT_SLOT_H

#include "support/service.h"

/* The only file of a store below the service's directory; the caller frees it. */
char *slot_path(service *server, const char *store);
/* The only one that is not the other. */
char *slot_path_besides(service *server, const char *store, const char *other);
/* Whether a text stands anywhere in the file. */
bool slot_has(const char *path, const char *text);
/* Locks the file as another process would; slot_unlock takes what it returns. */
int slot_lock(const char *path);
void slot_unlock(int lock);
/* Overwrites the whole file. */
void slot_damage(const char *path);
/* Puts a directory in the place of the file, which is kept aside; and back. */
void slot_block(const char *path);
void slot_unblock(const char *path);

#endif
