#include "http/gzip.h"

#include <limits.h>
#include <zlib.h>

#define GZIP_LEVEL 5
#define GZIP_WINDOW (15 + 16) /* the 16 asks zlib for a gzip header */

bool gzip_body(struct bytes body, struct buffer *ret_out)
{
    z_stream z = {0};
    char *room = body.len <= UINT_MAX ? buffer_reserve(ret_out, body.len) : NULL;
    int result;

    if (!room || deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    z.next_in = (Bytef *)(uintptr_t)body.data; /* zlib's input pointer is not const by default */
    z.avail_in = (uInt)body.len;
    z.next_out = (Bytef *)room;
    z.avail_out = (uInt)body.len;
    result = deflate(&z, Z_FINISH);
    deflateEnd(&z);
    if (result != Z_STREAM_END)
        return false;
    ret_out->len += z.total_out;
    return true;
}
