#include "ctl/progress.h"

#include <stdarg.h>
#include <unistd.h>

#include "base/json.h"
#include "ctl/terminal.h"
#include "ctl/text.h"

#define BAR_MAX 30
#define GREEN "\033[32m"
#define PLAIN "\033[0m"

static void append(char line[PROGRESS_LINE_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void append(char line[PROGRESS_LINE_MAX], const char *format, ...)
{
    size_t len = strlen(line);
    va_list list;

    va_start(list, format);
    vsnprintf(line + len, PROGRESS_LINE_MAX - len, format, list);
    va_end(list);
}

/* The server's words; a terminal must not obey what may be in them. */
static void clean(char *ret_text, size_t size, const char *text)
{
    size_t len = 0;

    for (; *text && len + 1 < size; text++)
        ret_text[len++] = (unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f ? '?' : *text;
    ret_text[len] = '\0';
}

/* A count of 0 of 0 is a phase whose size is not known yet. */
static int percent(int64_t done, int64_t total)
{
    if (total <= 0 || done < 0)
        return -1;
    return done >= total ? 100 : (int)((double)done / (double)total * 100);
}

static void append_bar(char line[PROGRESS_LINE_MAX], int share, int columns, bool color)
{
    int full = share * columns / 100;

    append(line, " [%s", color ? GREEN : "");
    for (int i = 0; i < columns; i++)
        append(line, "%c", i < full ? '#' : '.');
    append(line, "%s] %3d%%", color ? PLAIN : "", share);
}

static void figures(const json_t *progress, char ret_text[PROGRESS_LINE_MAX])
{
    int64_t done = json_get_int(progress, "done", -1), total = json_get_int(progress, "total", -1);
    int64_t eta = json_get_int(progress, "eta_seconds", -1);
    double items = json_number_value(json_object_get(progress, "items_per_second"));
    double bytes = json_number_value(json_object_get(progress, "bytes_per_second"));
    const char *unit = json_get_text(progress, "unit");
    char a[TEXT_SHORT], b[TEXT_SHORT], word[32];

    ret_text[0] = '\0';
    if (done >= 0) {
        text_count(done, a);
        text_count(total, b);
        clean(word, sizeof(word), unit ? unit : "");
        append(ret_text, "  %s%s%s %s", a, total > 0 ? "/" : "", total > 0 ? b : "", word);
    }
    if (items > 0) {
        text_count((int64_t)(items + 0.5), a);
        append(ret_text, "  %s/s", a);
    }
    if (bytes > 0) {
        text_bytes((int64_t)bytes, a);
        append(ret_text, "  %s/s", a);
    }
    if (eta >= 0) {
        text_seconds(eta, a);
        append(ret_text, "  ETA %s%s", a, json_get_bool(progress, "eta_is_guess", false) ? " (a guess)" : "");
    }
}

/* "scan", or what it waits for. */
static void heading(const json_t *job, char *ret_text, size_t size)
{
    const char *state = json_get_text(job, "state"),
               *phase = json_get_text(json_object_get(job, "progress"), "phase");
    const char *reason = json_get_text(json_object_get(job, "waiting_for"), "reason");
    char text[128];

    if (reason)
        snprintf(text, sizeof(text), "%s, waits for %s", state ? state : "?", reason);
    else if (str_is(state, "running") && phase && phase[0])
        str_copy(text, sizeof(text), phase);
    else
        str_copy(text, sizeof(text), state ? state : "?");
    if (json_get_text(job, "cancel_requested_at"))
        snprintf(text + strlen(text), sizeof(text) - strlen(text), ", cancelling");
    clean(ret_text, size, text);
}

void progress_line(const json_t *job, int width, bool color, char ret_line[PROGRESS_LINE_MAX])
{
    const json_t *progress = json_object_get(job, "progress");
    int share = percent(json_get_int(progress, "done", -1), json_get_int(progress, "total", -1));
    char head[128], numbers[PROGRESS_LINE_MAX];
    int room;

    width = width < 20 ? 20 : width > 200 ? 200 : width;
    heading(job, head, sizeof(head));
    figures(progress, numbers);
    snprintf(ret_line, PROGRESS_LINE_MAX, "%.*s", width - 1, head);
    room = width - 1 - (int)strlen(ret_line) - (int)strlen(numbers) - 8; /* " [" "] 100%" */
    if (share >= 0 && room >= 5)
        append_bar(ret_line, share, room > BAR_MAX ? BAR_MAX : room, color);
    else if (share >= 0 && room >= 0)
        append(ret_line, " %3d%%", share);
    room = width - 1 - (int)(strlen(ret_line) - (color && strchr(ret_line, '[') ? strlen(GREEN PLAIN) : 0));
    if (share < 0 || room > 0)
        append(ret_line, "%.*s", room > 0 ? room : 0, numbers);
}

void progress_begin(struct progress_view *view, const struct ctl *ctl)
{
    *view = (struct progress_view){.bar = !ctl->settings.quiet && isatty(STDERR_FILENO)};
}

static void say_phase(struct progress_view *view, struct ctl *ctl, const json_t *job)
{
    char head[128];

    heading(job, head, sizeof(head));
    if (strcmp(head, view->phase) == 0)
        return;
    str_copy(view->phase, sizeof(view->phase), head);
    ctl_say(ctl, "%s", head);
}

void progress_show(struct progress_view *view, struct ctl *ctl, const json_t *job)
{
    char line[PROGRESS_LINE_MAX];

    if (!view->bar) {
        say_phase(view, ctl, job);
        return;
    }
    progress_line(job, terminal_width(), ctl->settings.color, line);
    fprintf(ctl->log, "\r\033[K%s", line);
    fflush(ctl->log);
    view->drawn = true;
}

void progress_clear(struct progress_view *view, struct ctl *ctl)
{
    if (view->drawn)
        fputs("\r\033[K", ctl->log);
    fflush(ctl->log);
    view->drawn = false;
}
