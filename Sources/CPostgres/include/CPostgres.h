#ifndef CPOSTGRES_H
#define CPOSTGRES_H

#include <postgresql/libpq-fe.h>
#include <stdint.h>

#ifndef LIBPQ_HAS_PIPELINING
#error "libpq 14 or newer is needed: pipeline mode"
#endif

/// Adds one to `count` for each WARNING that the server sends, and drops its words: they would go to standard error, and
/// may name values. `count` must live as long as the connection.
void cpostgres_count_warnings(PGconn *connection, int32_t *count);

#endif
