#include "ctl/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ctl/exits.h"

struct interrupt {
    struct http_client *client;
    pthread_t thread;
    int fd;
    atomic_bool grace;
    atomic_bool raised;
    atomic_bool stopping;
};

static void set_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
}

static void *wait_for_signals(void *arg)
{
    struct interrupt *interrupt = arg;
    const uint64_t one = 1;
    sigset_t set;
    int number;

    set_signals(&set);
    while (sigwait(&set, &number) == 0) {
        if (atomic_load(&interrupt->stopping))
            return NULL;
        if (!atomic_load(&interrupt->grace) || atomic_exchange(&interrupt->raised, true))
            _exit(EXIT_DETACHED);
        if (write(interrupt->fd, &one, sizeof(one)) < 0)
            _exit(EXIT_DETACHED);
        http_client_wake(interrupt->client);
    }
    return NULL;
}

struct interrupt *interrupt_start(struct http_client *client, struct err *err)
{
    struct interrupt *interrupt = calloc(1, sizeof(*interrupt));
    sigset_t set;

    if (!interrupt) {
        err_set(err, ERR_NO_MEMORY, "no memory for signals");
        return NULL;
    }
    interrupt->client = client;
    interrupt->fd = eventfd(0, EFD_CLOEXEC);
    set_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (interrupt->fd >= 0 && pthread_create(&interrupt->thread, NULL, wait_for_signals, interrupt) == 0)
        return interrupt;
    err_set(err, ERR_NO_MEMORY, "no thread for signals");
    if (interrupt->fd >= 0)
        close(interrupt->fd);
    free(interrupt);
    return NULL;
}

void interrupt_stop(struct interrupt *interrupt)
{
    if (!interrupt)
        return;
    atomic_store(&interrupt->stopping, true);
    pthread_kill(interrupt->thread, SIGINT);
    pthread_join(interrupt->thread, NULL);
    close(interrupt->fd);
    free(interrupt);
}

void interrupt_grace(struct interrupt *interrupt, bool on)
{
    atomic_store(&interrupt->grace, on);
}

bool interrupt_raised(const struct interrupt *interrupt)
{
    return interrupt && atomic_load(&interrupt->raised);
}

int interrupt_fd(const struct interrupt *interrupt)
{
    return interrupt ? interrupt->fd : -1;
}

enum err_code interrupt_asked(void *arg)
{
    return interrupt_raised(arg) ? ERR_CANCELLED : ERR_NONE;
}
