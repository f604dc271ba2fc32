/*
 * The gate behind a splitter as careless as a server may be: it takes bare LF and bare CR for line ends,
 * joins folded lines, cuts at NUL and at white space of any length; which of
 * these it does, the input says. Whatever it did, a head that the gate takes is one that a strict reader of
 * RFC 9112 takes from the original bytes, with the same pieces and the same length.
 */
#include "tests/fuzz/fuzz.h"

#include "http/gate.h"
#include "http/header.h"
#include "http/target.h"

enum careless {
    BARE_LF = 1,
    BARE_CR = 2,
    FOLD = 4,
    MANY_SPACES = 8,
    UNUSED = 16,
    LINE_BEFORE = 32,
    TRIM_NAME = 64
};

#define FOLDED_MAX 8192
struct piece {
    char folded[FOLDED_MAX]; /* where a folded line is put together */
    struct http_field headers[HTTP_HEADERS_MAX + 1];
    struct gate_head head;
};

/* Ends the line that begins at `at` with a NUL; returns where the next begins, or NULL. *ret_end: its NUL. */
static char *end_line(char *at, char *end, unsigned how, char **ret_end)
{
    for (char *c = at; c < end; c++) {
        bool crlf = *c == '\r' && c + 1 < end && c[1] == '\n';

        if (!crlf && !(*c == '\n' && (how & BARE_LF)) && !(*c == '\r' && (how & BARE_CR)))
            continue;
        *c = '\0';
        if (crlf)
            c[1] = '\0';
        *ret_end = c;
        return c + (crlf ? 2 : 1);
    }
    return NULL;
}

static char *word_end(char *at, unsigned how)
{
    char *end = at + strcspn(at, " ");

    if (!*end)
        return NULL;
    *end++ = '\0';
    while ((how & MANY_SPACES) && (*end == ' ' || *end == '\t'))
        end++;
    return end;
}

static bool first_line(char *line, unsigned how, struct gate_head *head)
{
    char *target = word_end(line, how), *version = target ? word_end(target, how) : NULL;

    *head = (struct gate_head){.method = line, .target = target, .version = version};
    if (!version)
        return false;
    head->target_len = strlen(target);
    return true;
}

static bool header_line(char *line, unsigned how, struct http_field *header)
{
    char *colon = strchr(line, ':');
    char *value = colon ? colon + 1 : NULL, *name_end = colon;

    if (!colon)
        return false;
    *colon = '\0';
    while (name_end > line && (how & TRIM_NAME) && (name_end[-1] == ' ' || name_end[-1] == '\t'))
        *--name_end = '\0';
    while (*value == ' ' || *value == '\t')
        value++;
    *header = (struct http_field){bytes_of(line), bytes_of(value)};
    return true;
}

/* The line at `at` and those that go on with it, in `to`; *next moves behind them. NULL: no end, or no room.
 */
static char *join_folded(char *at, char **next, char *end, unsigned how, char to[FOLDED_MAX])
{
    size_t len = 0;

    for (;;) {
        size_t more = strlen(at);
        char *line_end;

        if (len + more + 1 > FOLDED_MAX)
            return NULL;
        memcpy(to + len, at, more + 1);
        len += more;
        at = *next;
        if (at >= end || (*at != ' ' && *at != '\t'))
            return to;
        *next = end_line(at, end, how, &line_end);
        if (!*next)
            return NULL;
        at += strspn(at, " \t");
    }
}

/* In place, as libmicrohttpd does. False: it would have hung up. */
static bool split(char *at, char *end, unsigned how, struct piece *p)
{
    char *line_end, *next, *begin = at;
    size_t count = 0;

    while ((how & LINE_BEFORE) && at + 1 < end && at[0] == '\r' && at[1] == '\n')
        at += 2;
    begin = at;
    next = end_line(at, end, how, &line_end);
    if (!next || !first_line(at, how, &p->head))
        return false;
    for (;;) {
        at = next;
        next = end_line(at, end, how, &line_end);
        if (!next)
            return false;
        if (line_end == at)
            break;
        if ((how & FOLD) && next < end && (*next == ' ' || *next == '\t')) {
            at = join_folded(at, &next, end, how, p->folded);
            if (!at)
                return false;
        }
        if (count == COUNT_OF(p->headers))
            return false;
        if (!header_line(at, how, &p->headers[count])) /* libmicrohttpd answers 400 by itself */
            return false;
        count++;
    }
    p->head.headers = p->headers;
    p->head.header_count = count;
    p->head.headers_cut = count > HTTP_HEADERS_MAX;
    p->head.size = (size_t)(next - begin);
    return true;
}

/* RFC 9112 by the letter: takes the line up to CRLF that has no other CR, LF or NUL. False: a NUL stands
 * before a CR or LF, the one thing that the gate cannot tell from CRLF (http/gate.h). */
static bool strict_line(struct input *in, struct bytes *ret_line)
{
    struct bytes line = {(const char *)in->at, 0};

    for (; line.len + 1 < in->left; line.len++) {
        char c = line.data[line.len];

        char d = line.data[line.len + 1];

        if (c == '\r' && d == '\n') {
            in->at += line.len + 2;
            in->left -= line.len + 2;
            *ret_line = line;
            return true;
        }
        if (c == '\0' && (d == '\0' || d == '\n' || d == '\r'))
            return false;
        HOLDS(c != '\r' && c != '\n' && c != '\0');
    }
    HOLDS(!"a line without an end");
    return false;
}

static struct bytes strict_word(struct bytes *line)
{
    struct bytes word = {line->data, 0};

    while (word.len < line->len && line->data[word.len] != ' ')
        word.len++;
    HOLDS(word.len > 0);
    size_t skip = word.len < line->len ? word.len + 1 : word.len;
    *line = (struct bytes){line->data + skip, line->len - skip};
    return word;
}

static void strict(struct bytes original, const struct gate_head *head, int64_t length)
{
    struct input in = {(const uint8_t *)original.data, original.len};
    struct bytes line, lengths = {NULL, 0};
    size_t hosts = 0;

    if (!strict_line(&in, &line))
        return;

    HOLDS(bytes_is(strict_word(&line), head->method));
    HOLDS(bytes_equal(strict_word(&line), (struct bytes){head->target, head->target_len}));
    HOLDS(bytes_is(line, "HTTP/1.1") || bytes_is(line, "HTTP/1.0"));
    bool host_needed = bytes_is(line, "HTTP/1.1");
    for (size_t i = 0;; i++) {
        if (!strict_line(&in, &line))
            return;
        if (line.len == 0)
            break;
        const char *colon = memchr(line.data, ':', line.len);

        HOLDS(colon && i < head->header_count);
        struct bytes name = {line.data, (size_t)(colon - line.data)};
        struct bytes value = http_trim((struct bytes){colon + 1, line.len - name.len - 1});
        HOLDS(http_is_token(name) && bytes_equal(name, head->headers[i].name));
        HOLDS(bytes_equal(value, http_trim(head->headers[i].value)));
        HOLDS(!http_name_is(name, "Transfer-Encoding"));
        hosts += http_name_is(name, "Host");
        if (http_name_is(name, "Content-Length")) {
            HOLDS(!lengths.data);
            lengths = value;
        }
    }
    HOLDS(in.at == (const uint8_t *)original.data + head->size);
    HOLDS(hosts == 1 || (hosts == 0 && !host_needed));
    uint64_t value = 0;
    HOLDS(lengths.data ? uint_parse(lengths, &value) && (int64_t)value == length : length == 0);
}

/* What the target may hold is http/target.h's to say, behind the gate. */
static bool is_target(const struct gate_head *head)
{
    _cleanup_(arena_free_p) struct arena *arena = big_arena();
    struct http_request request = {.arena = arena, .method = head->method};
    struct err err = ERR_INIT;

    return target_parse((struct bytes){head->target, head->target_len}, &request, &err) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct piece p;
    struct input in = {data, size};
    unsigned how = input_byte(&in);
    struct bytes original = input_rest(&in);
    char *copy = malloc(original.len + 1);
    struct err err = ERR_INIT;
    int64_t length;

    HOLDS(copy);
    if (original.len)
        memcpy(copy, original.data, original.len);
    copy[original.len] = '\0';
    if (split(copy, copy + original.len, how, &p)) {
        int rc = gate_check(&p.head, &length, &err);

        judge(rc, &err);
        size_t before = (size_t)(p.head.method - copy);
        if (rc == 0 && is_target(&p.head))
            strict((struct bytes){original.data + before, original.len - before}, &p.head, length);
    }
    free(copy);
    return 0;
}
