/*
 * A DynamoDB made of arithmetic, for benchmarks: tables of N items of 400 bytes that exist nowhere. Pages of
 * a Scan are written from a template with their x-amz-crc32, BatchWriteItem counts and forgets, the rest is
 * what a backup and a restore need. Its own cost is kept small and is not what is measured. stub PORT ITEMS
 * [PAGE_DELAY_MS [PAGE_ITEMS [SHAPE]]]        listens on 127.0.0.1; items are a `record` of ten
 * attributes, or four of which one is a long `text`
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <isa-l/crc.h>

#define PAYLOAD 330
#define ITEM_MAX 640
#define REQUEST_MAX (20 << 20)
#define TABLES_MAX 16

static int64_t item_count;
static int page_delay_ms;
static int64_t page_items = 2500; /* a megabyte */
static bool long_texts;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char tables[TABLES_MAX][256];
static _Atomic int64_t written;

struct connection {
    int fd;
    char *in;
    size_t have;
    char *out;
    size_t len;
};

static bool table_exists(const char *name, bool make)
{
    bool found = !strcmp(name, "Bench");

    pthread_mutex_lock(&lock);
    for (int i = 0; i < TABLES_MAX && !found; i++) {
        if (make && !tables[i][0])
            snprintf(tables[i], sizeof(tables[i]), "%s", name);
        found = !strcmp(tables[i], name);
    }
    pthread_mutex_unlock(&lock);
    return found;
}

static void table_forget(const char *name)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i < TABLES_MAX; i++)
        if (!strcmp(tables[i], name))
            tables[i][0] = '\0';
    pthread_mutex_unlock(&lock);
}

/* The string member of a request's JSON, which is a client's own and plain. */
static bool member(const char *body, const char *name, char *to, size_t size)
{
    char quoted[64];
    const char *at;
    const char *end;

    snprintf(quoted, sizeof(quoted), "\"%s\"", name);
    at = strstr(body, quoted);
    if (!at)
        return false;
    at += strlen(quoted);
    at += strspn(at, ": ");
    if (*at == '"') {
        end = strchr(++at, '"');
    } else {
        end = at + strspn(at, "-0123456789");
    }
    if (!end || (size_t)(end - at) >= size)
        return false;
    memcpy(to, at, (size_t)(end - at));
    to[end - at] = '\0';
    return true;
}

static void add(struct connection *c, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    c->len += (size_t)vsnprintf(c->out + c->len, 4096, format, args);
    va_end(args);
}

/* Words and digits by turns: every eleventh byte begins a match for a compressor, and none goes far. */
static char *put_text(char *at, int64_t n)
{
    static const char words[] = "invoice customer delivery amount berlin returned pending net gross euro ";
    uint64_t x = (uint64_t)n * 0x9E3779B97F4A7C15ULL + 1;

    at += snprintf(at, ITEM_MAX, "\"text\":{\"S\":\"");
    for (int i = 0; i < PAYLOAD; i += 11) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        memcpy(at, words + x % (sizeof(words) - 12), 7);
        for (int k = 7; k < 11; k++)
            at[k] = "0123456789abcdef"[x >> (4 * k) & 15];
        at += 11;
    }
    return at + snprintf(at, ITEM_MAX, "\"},\"total\":{\"N\":\"%ld\"}}", (long)(x % 100000));
}

/* A sale, as tests/bench/item_bench.c has it. */
static char *put_record(char *at, int64_t n)
{
    uint32_t i = (uint32_t)n;

    return at +
           snprintf(
               at, ITEM_MAX,
               "\"producer\":{\"S\":\"producer %u of the northern valley\"},\"amount\":{\"N\":\"%u.%02u\"},"
               "\"currency\":{\"S\":\"EUR\"},\"at\":{\"S\":\"2026-11-%02uT%02u:14:07Z\"},"
               "\"buyer\":{\"M\":{\"name\":{\"S\":\"Maria Jos\xc3\xa9 %u\"},"
               "\"city\":{\"S\":\"Porto\"},\"loyal\":{\"BOOL\":true}}},\"lines\":{\"L\":[{\"M\":"
               "{\"sku\":{\"S\":\"olives-%u\"},\"n\":{\"N\":\"%u\"}}}]},"
               "\"tags\":{\"SS\":[\"web\",\"gift\"]},\"token\":{\"S\":\"%08x%08x%08x\"}}",
               i % 97, i % 1000, i % 100, i % 28 + 1, i % 24, i % 5003, i % 311, i % 12 + 1, i * 2246822519u,
               i * 3266489917u, i * 668265263u);
}

static void add_item(struct connection *c, int64_t n)
{
    char *at = c->out + c->len;

    at += snprintf(at, ITEM_MAX, "{\"pk\":{\"S\":\"sale-%09ld\"},\"sk\":{\"N\":\"%ld\"},", (long)(n / 10),
                   (long)(n % 10));
    at = long_texts ? put_text(at, n) : put_record(at, n);
    c->len = (size_t)(at - c->out);
}

static void scan(struct connection *c, const char *body)
{
    char text[300];
    int64_t segment = member(body, "Segment", text, sizeof(text)) ? atoll(text) : 0;
    int64_t total = member(body, "TotalSegments", text, sizeof(text)) ? atoll(text) : 1;
    const char *start = strstr(body, "ExclusiveStartKey");
    int64_t page = segment;
    int64_t first;
    int64_t count;

    if (start && (start = strstr(start, "page-")))
        page = atoll(start + 5);
    first = page * page_items;
    count = first >= item_count ? 0 : item_count - first < page_items ? item_count - first : page_items;
    if (page_delay_ms)
        usleep((useconds_t)page_delay_ms * 1000);
    add(c, "{\"Count\":%ld,\"Items\":[", (long)count);
    for (int64_t i = 0; i < count; i++) {
        if (i)
            c->out[c->len++] = ',';
        add_item(c, first + i);
    }
    add(c, "]");
    if (count && (page + total) * page_items < item_count)
        add(c, ",\"LastEvaluatedKey\":{\"pk\":{\"S\":\"page-%ld\"},\"sk\":{\"N\":\"0\"}}",
            (long)(page + total));
    add(c, ",\"ScannedCount\":%ld,\"ConsumedCapacity\":{\"TableName\":\"Bench\",\"CapacityUnits\":128.0}}",
        (long)count);
}

static int describe(struct connection *c, const char *body, const char *member_name)
{
    char name[300] = "";

    member(body, "TableName", name, sizeof(name));
    if (!table_exists(name, false)) {
        add(c, "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException\",\"message\":\"no "
               "table\"}");
        return 400;
    }
    add(c,
        "{\"%s\":{\"TableName\":\"%s\",\"TableArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/"
        "%s\",\"TableId\":\"id-%s\","
        "\"TableStatus\":\"ACTIVE\",\"CreationDateTime\":%ld,\"ItemCount\":%ld,\"TableSizeBytes\":%ld,"
        "\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"sk\","
        "\"KeyType\":\"RANGE\"}],"
        "\"AttributeDefinitions\":[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"},{\"AttributeName\":"
        "\"sk\",\"AttributeType\":\"N\"}],"
        "\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\"},"
        "\"ProvisionedThroughput\":{\"NumberOfDecreasesToday\":0,\"ReadCapacityUnits\":0,"
        "\"WriteCapacityUnits\":0}}}",
        member_name, name, name, name, strcmp(name, "Bench") ? (long)time(NULL) + 1 : 1700000000L,
        (long)item_count, (long)item_count * 400);
    return 200;
}

static int answer(struct connection *c, const char *operation, const char *body)
{
    char name[300] = "";
    const char *at = body;

    if (!strcmp(operation, "Scan"))
        return scan(c, body), 200;
    if (!strcmp(operation, "BatchWriteItem")) {
        while ((at = strstr(at, "\"PutRequest\"")))
            at += 12, written++;
        add(c, "{\"UnprocessedItems\":{}}");
        return 200;
    }
    if (!strcmp(operation, "DescribeTable"))
        return describe(c, body, "Table");
    member(body, "TableName", name, sizeof(name));
    if (!strcmp(operation, "CreateTable"))
        return table_exists(name, true), describe(c, body, "TableDescription");
    if (!strcmp(operation, "DeleteTable")) {
        int status = describe(c, body, "TableDescription");

        table_forget(name);
        return status;
    }
    if (!strcmp(operation, "StubWritten"))
        return add(c, "{\"written\":%ld}", (long)written), 200;
    add(c, "{\"__type\":\"com.amazon.coral.service#UnknownOperationException\",\"message\":\"not here\"}");
    return 400;
}

static bool send_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* One request: head, body of known length, answer. */
static bool serve(struct connection *c)
{
    char operation[64] = "none";
    char head[512];
    size_t body_len = 0;
    char *end = NULL;
    char *body;
    char *at;
    int status;

    for (;;) {
        ssize_t n;

        c->in[c->have] = '\0';
        end = strstr(c->in, "\r\n\r\n");
        if (end) {
            at = strcasestr(c->in, "\r\ncontent-length:");
            body_len = at && at < end ? strtoul(at + 17, NULL, 10) : 0;
            if (c->have >= (size_t)(end + 4 - c->in) + body_len)
                break;
        }
        n = recv(c->fd, c->in + c->have, REQUEST_MAX - c->have, 0);
        if (n <= 0)
            return false;
        c->have += (size_t)n;
    }
    body = end + 4;
    at = strcasestr(c->in, "\r\nx-amz-target:");
    if (at && at < end && (at = strchr(at, '.')))
        sscanf(at + 1, "%63[A-Za-z]", operation);
    {
        char kept = body[body_len];

        body[body_len] = '\0';
        c->len = 0;
        status = answer(c, operation, body);
        body[body_len] = kept;
    }
    snprintf(head, sizeof(head),
             "HTTP/1.1 %d X\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: "
             "%zu\r\nx-amzn-RequestId: STUB\r\n"
             "x-amz-crc32: %u\r\n\r\n",
             status, c->len, crc32_gzip_refl(0, (unsigned char *)c->out, c->len));
    c->have -= (size_t)(body - c->in) + body_len;
    memmove(c->in, body + body_len, c->have);
    return send_all(c->fd, head, strlen(head)) && send_all(c->fd, c->out, c->len);
}

static void *run(void *arg)
{
    struct connection c = {.fd = (int)(intptr_t)arg};

    c.in = malloc(REQUEST_MAX + 1);
    c.out = malloc(4 << 20);
    while (c.in && c.out && serve(&c))
        ;
    free(c.in);
    free(c.out);
    close(c.fd);
    return NULL;
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int one = 1;

    if (argc < 3)
        return 2;
    address.sin_port = htons((uint16_t)atoi(argv[1]));
    item_count = atoll(argv[2]);
    page_delay_ms = argc > 3 ? atoi(argv[3]) : 0;
    page_items = argc > 4 ? atoll(argv[4]) : page_items;
    long_texts = argc > 5 && !strcmp(argv[5], "text");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 128) < 0)
        return 1;
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("stub listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        pthread_t thread;

        if (fd < 0)
            continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        if (pthread_create(&thread, NULL, run, (void *)(intptr_t)fd) == 0)
            pthread_detach(thread);
    }
}
