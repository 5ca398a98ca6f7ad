#include "CZlib.h"

#include <limits.h>
#include <zlib.h>

int czlib_inflate(
    const uint8_t *packed, size_t count, int wrapping, uint8_t *output, size_t capacity, size_t *written) {
    *written = 0;
    if (count > UINT_MAX || capacity > UINT_MAX) return -1;
    z_stream stream = {0};
    if (inflateInit2(&stream, wrapping) != Z_OK) return -1;
    stream.next_in = (Bytef *)packed;
    stream.avail_in = (uInt)count;
    stream.next_out = output;
    stream.avail_out = (uInt)capacity;
    int code = inflate(&stream, Z_FINISH);
    /* A gzip file may have several members, one behind the other (RFC 1952 § 2.2). */
    while (code == Z_STREAM_END && wrapping > 0 && packed[0] == 0x1f && stream.avail_in >= 2
           && stream.next_in[0] == 0x1f && stream.next_in[1] == 0x8b && inflateReset(&stream) == Z_OK)
        code = inflate(&stream, Z_FINISH);
    *written = capacity - stream.avail_out;
    int is_full = stream.avail_out == 0;
    /* Without a wrapping nothing checks the end: what goes on behind it was no such stream. */
    if (code == Z_STREAM_END && wrapping < 0 && stream.avail_in > 0) code = Z_DATA_ERROR;
    inflateEnd(&stream);
    if (code == Z_STREAM_END) return 0;
    return (code == Z_OK || code == Z_BUF_ERROR) && is_full ? 1 : -1;
}
