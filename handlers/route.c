#include "handlers/route.h"

#include "base/cleanup.h"

/* Takes the next segment of a template; false at its end. */
static bool next_part(const char **at, struct bytes *ret_part)
{
    size_t len;

    if (**at != '/')
        return false;
    (*at)++;
    len = (size_t)(strchrnul(*at, '/') - *at);
    *ret_part = (struct bytes){*at, len};
    *at += len;
    return true;
}

static bool is_param(struct bytes part)
{
    return part.len > 2 && part.data[0] == '{' && part.data[part.len - 1] == '}';
}

static bool is_rest(struct bytes part)
{
    return is_param(part) && part.len > 5 && memcmp(part.data + part.len - 4, "...}", 4) == 0;
}

/* The segments from here on as one path. An empty one in it cannot be meant. */
static const char *join(const char *const *segments, size_t count, struct arena *arena)
{
    const char *path = segments[0];

    for (size_t i = 0; i < count; i++)
        if (!segments[i][0])
            return NULL;
    for (size_t i = 1; path && i < count; i++)
        path = arena_printf(arena, "%s/%s", path, segments[i]);
    return path;
}

bool route_path_matches(const char *template, const char *const *segments, size_t count, struct arena *arena,
                        const char *ret_params[ROUTE_PARAMS_MAX])
{
    struct bytes part;
    size_t params = 0, i = 0;

    while (next_part(&template, &part)) {
        if (i == count)
            return false;
        if (is_rest(part))
            return params < ROUTE_PARAMS_MAX &&
                   (ret_params[params] = join(segments + i, count - i, arena)) != NULL;
        if (!is_param(part)) {
            if (!bytes_is(part, segments[i]))
                return false;
        } else if (params == ROUTE_PARAMS_MAX || !segments[i][0]) {
            return false;
        } else {
            ret_params[params++] = segments[i];
        }
        i++;
    }
    return i == count;
}

static void add_method(struct buffer *allow, const char *method)
{
    if (allow->len > 0)
        buffer_add_str(allow, ", ");
    buffer_add_str(allow, method);
    if (strcmp(method, "GET") == 0)
        buffer_add_str(allow, ", HEAD");
}

const struct route *route_find(const struct route *table, const char *method, const char *const *segments,
                               size_t count, struct arena *arena, const char *ret_params[ROUTE_PARAMS_MAX],
                               struct buffer *allow, struct err *err)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    const struct route *found = NULL;

    for (const struct route *route = table; route->method; route++) {
        const char *params[ROUTE_PARAMS_MAX] = {NULL};

        if (!route_path_matches(route->path, segments, count, arena, params))
            continue;
        add_method(allow, route->method);
        if (!found && strcmp(route->method, wanted) == 0) {
            found = route;
            memcpy(ret_params, params, sizeof(params));
        }
    }
    if (allow->len > 0)
        buffer_add_str(allow, ", OPTIONS");
    if (found)
        return found;
    if (allow->len == 0)
        err_set(err, ERR_NOT_FOUND, "there is nothing at this path");
    else
        err_set(err, ERR_METHOD_NOT_ALLOWED, "%.20s is not taken here", method);
    return NULL;
}

int routes_sound(const struct route *table, struct err *err)
{
    for (const struct route *route = table; route->method; route++)
        if (route->role == ROLE_UNSET || !route->path || !route->operation || !route->handle ||
            route->status == 0 || (route->body && fields_sound(route->body, err) < 0))
            return err_set(err, ERR_INTERNAL,
                           "route %s %s: role, operation, status, handler or body is missing or unsound",
                           route->method, route->path ? route->path : "");
    return 0;
}
