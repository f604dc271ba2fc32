#include "ctl/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <openssl/crypto.h>

#include "base/cleanup.h"
#include "ctl/interrupt.h"

int terminal_width(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* One byte at a time: what follows the line is not ours. */
static enum exit_code read_line(struct ctl *ctl, int fd, char *line, size_t size)
{
    struct pollfd polls[] = {{.fd = fd, .events = POLLIN},
                             {.fd = interrupt_fd(ctl->interrupt), .events = POLLIN}};
    size_t len = 0;

    for (;;) {
        ssize_t got;
        char c;

        if (poll(polls, 2, -1) < 0 && errno != EINTR)
            return EXIT_USAGE;
        if (interrupt_raised(ctl->interrupt))
            return EXIT_DETACHED;
        if (!(polls[0].revents & (POLLIN | POLLHUP | POLLERR)))
            continue;
        got = read(fd, &c, 1);
        if (got <= 0)
            return EXIT_USAGE;
        if (c == '\n') {
            line[len] = '\0';
            return EXIT_DONE;
        }
        if (len + 1 < size && c != '\r')
            line[len++] = c;
    }
}

/* Before the question is asked, so that no answer is quick enough to be shown, or to be thrown away with what
 * was typed before. */
static bool echo_off(int fd, struct termios *ret_before)
{
    struct termios quiet;

    if (tcgetattr(fd, ret_before) < 0)
        return false;
    quiet = *ret_before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    return tcsetattr(fd, TCSAFLUSH, &quiet) == 0;
}

enum exit_code terminal_ask(struct ctl *ctl, const char *question, bool hidden, char *ret_line, size_t size)
{
    _cleanup_(cleanup_close) int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    int fd = tty >= 0 ? tty : STDIN_FILENO;
    struct termios before;
    bool quiet;
    enum exit_code code;

    interrupt_grace(ctl->interrupt, true);
    quiet = hidden && echo_off(fd, &before);
    if (tty >= 0 || isatty(STDERR_FILENO)) {
        fputs(question, ctl->log);
        fflush(ctl->log);
    }
    code = read_line(ctl, fd, ret_line, size);
    if (quiet) {
        tcsetattr(fd, TCSAFLUSH, &before);
        fputc('\n', ctl->log);
    }
    interrupt_grace(ctl->interrupt, false);
    if (code != EXIT_DONE)
        OPENSSL_cleanse(ret_line, size);
    if (code == EXIT_DETACHED)
        fputs("\ninterrupted: nothing was done\n", ctl->log);
    if (code == EXIT_USAGE)
        ctl_fail(ctl, code, "%sthere is no answer: the input has ended", question);
    return code;
}
