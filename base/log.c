#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"

#define LINE_USUAL_BYTES 500

static _Atomic enum log_level threshold = LOG_INFO; /* a reload changes them while others write */
static _Atomic enum log_format shape = LOG_JSON;
static _Thread_local char request_id[40];
static _Thread_local char job_id[40];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of what follows, and of writing */
static char kept[LOG_KEPT_MAX];
static size_t kept_len;
static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_setup(enum log_level level, enum log_format format)
{
    atomic_store_explicit(&threshold, level, memory_order_relaxed);
    atomic_store_explicit(&shape, format, memory_order_relaxed);
}

void log_context_request(const char *id)
{
    str_copy(request_id, sizeof(request_id), id);
}

void log_context_job(const char *id)
{
    str_copy(job_id, sizeof(job_id), id);
}

struct line {
    enum log_format shape; /* one for the whole line */
    char now[TIME_SIZE];
    const char *level;
    const char *message;
    struct buffer out;
    struct json_writer json;
};

static void pair(struct line *line, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    if (line->shape == LOG_JSON) {
        json_put_text(&line->json, name, value);
        return;
    }
    buffer_printf(&line->out, " %s=", name);
    json_escape(&line->out, bytes_of(value)); /* no line of ours can be forged by a value */
}

static void begin(struct line *line, enum log_level level, const char *message)
{
    time_format(clock_wall_ms(), line->now);
    line->level = level_names[level];
    line->message = message;
    line->out = BUFFER_INIT(LOG_LINE_MAX);
    buffer_reserve(&line->out, LINE_USUAL_BYTES); /* it then need not grow */
    line->shape = atomic_load_explicit(&shape, memory_order_relaxed);
    if (line->shape == LOG_JSON) {
        json_put_begin(&line->json, &line->out);
        json_put_object(&line->json, NULL);
        json_put_text(&line->json, "at", line->now);
        json_put_text(&line->json, "level", line->level);
        json_put_text(&line->json, "message", message);
    } else {
        buffer_printf(&line->out, "%s %-5s %s", line->now, line->level, message);
    }
    pair(line, "request_id", request_id);
    pair(line, "job", job_id);
}

/* In one write, so that lines of threads do not mix, unless a signal cuts it short. A log that cannot be
 * written has nowhere to complain. */
static void put_out(const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        data += n;
        len -= (size_t)n;
    }
}

static void put_out_kept(void)
{
    put_out(kept, kept_len);
    kept_len = 0;
}

static void put(struct bytes line, bool later)
{
    pthread_mutex_lock(&lock);
    if (!later || line.len > sizeof(kept) - kept_len)
        put_out_kept();
    if (later) {
        memcpy(kept + kept_len, line.data, line.len);
        kept_len += line.len;
    } else {
        put_out(line.data, line.len);
    }
    pthread_mutex_unlock(&lock);
}

void log_flush(void)
{
    pthread_mutex_lock(&lock);
    put_out_kept();
    pthread_mutex_unlock(&lock);
}

/* A line that is too long, or finds no memory, says so instead of being cut into something else. The message
 * is a constant of the program. */
static void write_head(const struct line *line, char *ret_text, size_t size)
{
    static const char why[] = "it was too long, or had no memory";

    if (line->shape == LOG_JSON)
        snprintf(ret_text, size, "{\"at\":\"%s\",\"level\":\"%s\",\"message\":\"%.200s\",\"rest\":\"%s\"}\n",
                 line->now, line->level, line->message, why);
    else
        snprintf(ret_text, size, "%s %-5s %.200s rest=%s\n", line->now, line->level, line->message, why);
}

static void end(struct line *line, bool later)
{
    char head[400];
    struct bytes text;

    if (line->shape == LOG_JSON)
        json_put_object_end(&line->json);
    buffer_add_char(&line->out, '\n');
    text = buffer_bytes(&line->out);
    if (line->out.failed) {
        write_head(line, head, sizeof(head));
        text = bytes_of(head);
    }
    put(text, later);
    buffer_done(&line->out);
}

static void pairs(struct line *line, va_list args)
{
    const char *name;

    while ((name = va_arg(args, const char *)))
        pair(line, name, va_arg(args, const char *));
}

static bool wanted(enum log_level level)
{
    return level >= atomic_load_explicit(&threshold, memory_order_relaxed);
}

void log_write(enum log_level level, const char *message, ...)
{
    struct line line;
    va_list args;

    if (!wanted(level))
        return;
    begin(&line, level, message);
    va_start(args, message);
    pairs(&line, args);
    va_end(args);
    end(&line, false);
}

void log_write_later(enum log_level level, const char *message, ...)
{
    struct line line;
    va_list args;

    if (!wanted(level))
        return;
    begin(&line, level, message);
    va_start(args, message);
    pairs(&line, args);
    va_end(args);
    end(&line, true);
}

void log_err(enum log_level level, const char *message, const struct err *err, ...)
{
    struct line line;
    va_list args;

    if (!wanted(level))
        return;
    begin(&line, level, message);
    pair(&line, "code", err_info(err->code)->name);
    pair(&line, "detail", err->message);
    pair(&line, "aws_operation", err->aws.operation);
    pair(&line, "aws_code", err->aws.code);
    pair(&line, "aws_request_id", err->aws.request_id);
    va_start(args, err);
    pairs(&line, args);
    va_end(args);
    end(&line, false);
}
