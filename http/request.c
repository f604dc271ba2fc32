#include "http/request.h"

#include <strings.h>

#include "http/header.h"

struct bytes http_request_header_at(const struct http_request *request, const char *name, size_t n)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_field *header = &request->headers[i];

        if (header->name.len == len && strncasecmp(header->name.data, name, len) == 0 && n-- == 0)
            return header->value;
    }
    return (struct bytes){NULL, 0};
}

struct bytes http_request_header(const struct http_request *request, const char *name)
{
    return http_request_header_at(request, name, 0);
}

const char *http_request_query(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->query_count; i++)
        if (strcmp(request->query[i].name, name) == 0)
            return request->query[i].value;
    return NULL;
}

bool http_request_is_json(const struct http_request *request)
{
    struct http_media media;

    if (!http_media_parse(http_request_header(request, "Content-Type"), &media) || !media.utf8)
        return false;
    return strcmp(media.type, "application/json") == 0 ||
           (str_starts(media.type, "application/") && str_ends(media.type, "+json"));
}
