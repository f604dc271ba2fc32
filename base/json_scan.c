/* The checker is a loop over an explicit stack of open containers: no recursion, every byte looked at once,
 * names compared within their object only (each with at most 16 others, or by one sort at the object's end).
 */
#include "base/json.h"

#include <math.h>

#include "base/cleanup.h"
#include "base/json_text.h"

#define DEPTH_CAP 256 /* whatever the caller's limit says */
#define NAMES_INLINE 64
#define NAMES_COMPARED 16 /* an object with more members is sorted at its end */

struct name {
    const char *data; /* between the quotes; NULL: none yet */
    size_t len;
    bool escaped;
};

struct level {
    bool object;
    struct name name;  /* the member being read */
    size_t index;      /* the entry being read */
    size_t first_name; /* where this object's names begin in scan.names */
};

struct scan {
    const char *begin, *at, *end;
    bool allow_duplicates;
    bool for_dom; /* refuse also what jansson's values cannot hold */
    unsigned max_depth, depth;
    struct name *names; /* of all open objects, innermost last */
    size_t name_count, name_size;
    struct err *err;
    struct name names_inline[NAMES_INLINE];
    struct level levels[DEPTH_CAP];
};

/* -- decoded names -- */

struct name_bytes {
    const char *at, *end;
    char pending[4];
    size_t pending_at, pending_len;
};

/* The next byte of a checked name after unescaping, or -1. */
static int name_byte(struct name_bytes *n)
{
    uint32_t code;

    if (n->pending_at < n->pending_len)
        return (unsigned char)n->pending[n->pending_at++];
    if (n->at >= n->end)
        return -1;
    if (*n->at != '\\' || json_escape_next(&n->at, n->end, &code))
        return (unsigned char)*n->at++;
    n->pending_len = utf8_put(code, n->pending);
    n->pending_at = 1;
    return (unsigned char)n->pending[0];
}

static int name_compare(const struct name *a, const struct name *b)
{
    if (!a->escaped && !b->escaped) {
        int order = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);
        return order ? order : (a->len > b->len) - (a->len < b->len);
    }
    struct name_bytes x = {.at = a->data, .end = a->data + a->len},
                      y = {.at = b->data, .end = b->data + b->len};
    int p, q;
    do {
        p = name_byte(&x);
        q = name_byte(&y);
    } while (p == q && p >= 0);
    return p - q;
}

static int name_order(const void *a, const void *b)
{
    const struct name *x = a, *y = b;
    int order = name_compare(x, y);

    return order ? order
                 : (x->data > y->data) - (x->data < y->data); /* equal names in the order of the text */
}

/* -- faults -- */

/* Adds one token; false when it does not fit, and then nothing was added. */
static bool pointer_token(char *pointer, size_t size, size_t *len, const struct level *level)
{
    char digits[24];
    struct name_bytes bytes = {0};
    size_t at = *len;
    int c;

    if (level->object) {
        bytes = (struct name_bytes){.at = level->name.data, .end = level->name.data + level->name.len};
    } else {
        int n = snprintf(digits, sizeof(digits), "%zu", level->index);
        bytes = (struct name_bytes){.at = digits, .end = digits + n};
    }
    if (at + 1 >= size)
        return false;
    pointer[at++] = '/';
    while ((c = name_byte(&bytes)) >= 0) {
        bool special = c == '~' || c == '/';
        if (at + (special ? 2 : 1) >= size)
            return false;
        pointer[at++] = special ? '~' : (char)c;
        if (special)
            pointer[at++] = c == '~' ? '0' : '1';
    }
    *len = at;
    return true;
}

/* A pointer that does not fit ends at the last whole token that does: it still points at something around the
 * fault. */
static void pointer_write(const struct scan *s, char *pointer, size_t size)
{
    size_t len = 0;

    for (unsigned i = 0; i < s->depth; i++) {
        const struct level *level = &s->levels[i];
        if ((level->object && !level->name.data) || !pointer_token(pointer, size, &len, level))
            break;
    }
    pointer[len] = '\0';
}

static int fail_at(const struct scan *s, const char *at, const char *reason)
{
    char pointer[sizeof(s->err->pointer)];
    const char *line_begin = s->begin, *p;
    size_t line = 1;

    while (line_begin < at && (p = memchr(line_begin, '\n', (size_t)(at - line_begin)))) {
        line_begin = p + 1;
        line++;
    }
    pointer_write(s, pointer, sizeof(pointer));
    return err_set_at(s->err, ERR_INVALID_JSON, pointer, "%s at byte %zu (line %zu, column %zu)", reason,
                      (size_t)(at - s->begin), line, (size_t)(at - line_begin) + 1);
}

static int fail(const struct scan *s, const char *reason)
{
    return fail_at(s, s->at, s->at == s->end ? "the text ends too early" : reason);
}

/* -- names -- */

static int names_grow(struct scan *s)
{
    size_t size = s->name_size * 2;
    struct name *names = s->names == s->names_inline ? NULL : s->names;

    names = reallocarray(names, size, sizeof(*names));
    if (!names)
        return err_set(s->err, ERR_NO_MEMORY, "no memory for the names of a JSON object");
    if (s->names == s->names_inline)
        memcpy(names, s->names_inline, sizeof(s->names_inline));
    s->names = names;
    s->name_size = size;
    return 0;
}

static int name_add(struct scan *s, struct level *level)
{
    if (s->allow_duplicates)
        return 0;
    if (s->name_count == s->name_size && names_grow(s) < 0)
        return -1;
    if (s->name_count - level->first_name < NAMES_COMPARED)
        for (size_t i = level->first_name; i < s->name_count; i++)
            if (name_compare(&s->names[i], &level->name) == 0)
                return fail_at(s, level->name.data - 1, "a repeated name");
    s->names[s->name_count++] = level->name;
    return 0;
}

/* The object is complete: finds repeated names that name_add did not look for, and forgets its names. */
static int names_end(struct scan *s, struct level *level)
{
    struct name *names = s->names + level->first_name;
    size_t count = s->name_count - level->first_name;

    s->name_count = level->first_name;
    if (count <= NAMES_COMPARED)
        return 0;
    qsort(names, count, sizeof(*names), name_order);
    for (size_t i = 1; i < count; i++)
        if (name_compare(&names[i - 1], &names[i]) == 0) {
            level->name = names[i];
            return fail_at(s, names[i].data - 1, "a repeated name");
        }
    return 0;
}

/* -- the grammar -- */

static void skip_space(struct scan *s)
{
    s->at = json_skip_space(s->at, s->end);
}

static bool looking_at(const struct scan *s, char c)
{
    return s->at < s->end && *s->at == c;
}

static int scan_name(struct scan *s, struct level *level)
{
    const char *quote, *reason;
    struct json_string_facts facts;

    skip_space(s);
    level->name.data = NULL;
    if (!looking_at(s, '"'))
        return fail(s, "expected a name in quotes");
    quote = s->at;
    reason = json_string_next(&s->at, s->end, &facts);
    if (reason)
        return fail_at(s, s->at, reason);
    level->name = (struct name){quote + 1, (size_t)(s->at - quote) - 2, facts.escaped};
    if (facts.has_nul) {
        level->name.data = NULL;
        return fail_at(s, quote, "a NUL in a name");
    }
    if (name_add(s, level) < 0)
        return -1;
    skip_space(s);
    if (!looking_at(s, ':'))
        return fail(s, "expected ':'");
    s->at++;
    return 0;
}

static bool fits_int64(const char *at, const char *end)
{
    bool negative = *at == '-';
    const char *digits = at + negative;

    if (end - digits != 19)
        return end - digits < 19;
    return memcmp(digits, negative ? "9223372036854775808" : "9223372036854775807", 19) <= 0;
}

static int check_double(const struct scan *s, const char *end)
{
    char small[64];
    _cleanup_(cleanup_free) char *large = NULL;
    size_t len = (size_t)(end - s->at);
    char *text = len < sizeof(small) ? small : (large = malloc(len + 1));

    if (!text)
        return err_set(s->err, ERR_NO_MEMORY, "no memory for a number");
    memcpy(text, s->at, len);
    text[len] = '\0';
    return isfinite(strtod(text, NULL)) ? 0 : fail(s, "a number beyond what a double can hold");
}

static int scan_number(struct scan *s)
{
    bool integer;
    const char *end = json_number_end(s->at, s->end, &integer);

    if (!end)
        return fail(s, "a malformed number");
    if (s->for_dom && integer && !fits_int64(s->at, end))
        return fail(s, "an integer beyond 64 bits");
    if (s->for_dom && !integer && check_double(s, end) < 0)
        return -1;
    s->at = end;
    return 0;
}

static int scan_text(struct scan *s)
{
    const char *quote = s->at, *reason;
    struct json_string_facts facts;

    reason = json_string_next(&s->at, s->end, &facts);
    if (reason)
        return fail_at(s, s->at, reason);
    return s->for_dom && facts.has_nul ? fail_at(s, quote, "a NUL in a string") : 0;
}

static int scan_scalar(struct scan *s)
{
    const char *end;

    if (looking_at(s, '"'))
        return scan_text(s);
    if (looking_at(s, '-') || (s->at < s->end && *s->at >= '0' && *s->at <= '9'))
        return scan_number(s);
    end = json_literal_end(s->at, s->end);
    if (!end)
        return fail(s, "expected a value");
    s->at = end;
    return 0;
}

/* Enters the container at s->at. 1: its first value is next; 0: it is empty and closed again. */
static int scan_open(struct scan *s)
{
    struct level *level = &s->levels[s->depth];
    bool object = *s->at == '{';

    if (s->depth >= s->max_depth)
        return fail(s, "nested too deeply");
    s->at++;
    skip_space(s);
    if (looking_at(s, object ? '}' : ']')) {
        s->at++;
        return 0;
    }
    *level = (struct level){.object = object, .first_name = s->name_count};
    s->depth++;
    return object && scan_name(s, level) < 0 ? -1 : 1;
}

/* After a value. 1: another value is next; 0: everything is closed. */
static int scan_after_value(struct scan *s)
{
    while (s->depth > 0) {
        struct level *level = &s->levels[s->depth - 1];
        skip_space(s);
        if (looking_at(s, ',')) {
            s->at++;
            level->index++;
            return level->object && scan_name(s, level) < 0 ? -1 : 1;
        }
        if (!looking_at(s, level->object ? '}' : ']'))
            return fail(s, level->object ? "expected ',' or '}'" : "expected ',' or ']'");
        s->at++;
        if (level->object && names_end(s, level) < 0)
            return -1;
        s->depth--;
    }
    return 0;
}

static int scan_all(struct scan *s)
{
    int more = 1;

    if (s->end - s->at >= 3 && memcmp(s->at, "\xef\xbb\xbf", 3) == 0)
        return fail(s, "a byte order mark");
    while (more > 0) {
        skip_space(s);
        if (looking_at(s, '{') || looking_at(s, '[')) {
            int inside = scan_open(s);
            if (inside < 0)
                return -1;
            if (inside)
                continue;
        } else if (scan_scalar(s) < 0) {
            return -1;
        }
        more = scan_after_value(s);
    }
    if (more < 0)
        return -1;
    skip_space(s);
    return s->at == s->end ? 0 : fail(s, "bytes after the value");
}

static int check(struct bytes text, const struct json_limits *limits, bool for_dom, struct err *err)
{
    struct scan s;
    int r;

    if (!text.data)
        text = BYTES("");
    s.begin = s.at = text.data;
    s.end = text.data + text.len;
    s.allow_duplicates = limits->allow_duplicates;
    s.for_dom = for_dom;
    s.max_depth = limits->max_depth < DEPTH_CAP ? limits->max_depth : DEPTH_CAP;
    s.depth = 0;
    s.names = s.names_inline;
    s.name_count = 0;
    s.name_size = NAMES_INLINE;
    s.err = err;
    r = scan_all(&s);
    if (s.names != s.names_inline)
        free(s.names);
    return r;
}

int json_check(struct bytes text, const struct json_limits *limits, struct err *err)
{
    return check(text, limits, false, err);
}

/* jansson 2.14 looks away when the buffer of a string cannot grow, reading (the string is then short) and
 * writing (the name of a member is then not whole), and nothing is said. So its allocator remembers. */
static _Thread_local bool starved;

void json_starved_clear(void)
{
    starved = false;
}

bool json_starved(void)
{
    return starved;
}

static void *jansson_take(size_t size)
{
    void *memory = malloc(size);

    starved |= !memory;
    return memory;
}

__attribute__((constructor)) static void watch_jansson(void)
{
    json_set_alloc_funcs(jansson_take, free);
}

/* What jansson refuses of a text that is JSON. Where its memory ends it may say that the text is not. */
static bool cannot_hold(enum json_error_code code)
{
    return code == json_error_numeric_overflow || code == json_error_null_character ||
           code == json_error_null_byte_in_key || code == json_error_stack_overflow;
}

char *json_dumped(const json_t *value, size_t flags)
{
    bool before = starved; /* json_starved is asked of a longer stretch than this */
    char *text;
    bool whole;

    starved = false;
    text = json_dumps(value, flags);
    whole = !starved;
    starved |= before;
    if (whole)
        return text;
    free(text);
    return NULL;
}

int json_parse(struct bytes text, const struct json_limits *limits, json_t **ret_value, struct err *err)
{
    json_error_t fault;
    json_t *value;

    if (check(text, limits, true, err) < 0)
        return -1;
    starved = false;
    value = json_loadb(text.data, text.len, JSON_DECODE_ANY, &fault);
    if (starved) {
        json_decref(value);
        return err_set(err, ERR_NO_MEMORY, "no memory for a JSON value");
    }
    if (!value && cannot_hold(json_error_code(&fault)))
        return err_set(err, ERR_INVALID_JSON, "cannot be held at byte %d", fault.position);
    if (!value)
        return err_set(err, ERR_NO_MEMORY, "no memory for a JSON value");
    *ret_value = value;
    return 0;
}
