#ifndef CZLIB_H
#define CZLIB_H

#include <stddef.h>
#include <stdint.h>

// Unpacks what somebody packed. `wrapping` is zlib's window size: 47 for gzip or zlib (RFC 1952, RFC 1950), -15 for
// deflate without either (RFC 1951). Returns 0 once the stream has ended, 1 where `capacity` is too little, -1 for no
// such stream.
int czlib_inflate(
    const uint8_t *packed, size_t count, int wrapping, uint8_t *output, size_t capacity, size_t *written);

#endif
