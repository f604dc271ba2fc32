/* One body to one gzip member (RFC 1952), at a level for replies. Thread rule: any. */
#pragma once
#include "base/buffer.h"

/* False when it did not shrink, or without memory: then send the body as it is. */
bool gzip_body(struct bytes body, struct buffer *ret_out);
