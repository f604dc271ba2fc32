#include "base/metrics.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"

enum process_fact { CPU, RESIDENT, VIRTUAL, OPEN_FDS, MAX_FDS, START_TIME, THREADS, FACT_COUNT };

static const struct {
    const char *name;
    enum metric_type type;
    const char *help;
} facts[FACT_COUNT] = {
    [CPU] = {"process_cpu_seconds_total", METRIC_COUNTER, "CPU time of the process, user and system."},
    [RESIDENT] = {"process_resident_memory_bytes", METRIC_GAUGE, "Memory of the process that is in RAM."},
    [VIRTUAL] = {"process_virtual_memory_bytes", METRIC_GAUGE, "Address space of the process."},
    [OPEN_FDS] = {"process_open_fds", METRIC_GAUGE, "Open file descriptors."},
    [MAX_FDS] = {"process_max_fds", METRIC_GAUGE, "How many file descriptors may be open at once."},
    [START_TIME] = {"process_start_time_seconds", METRIC_GAUGE, "When the process was started, since 1970."},
    [THREADS] = {"process_threads", METRIC_GAUGE, "Threads of the process."},
};

static struct metric *metrics[FACT_COUNT];

static bool read_text(const char *path, char *text, size_t size)
{
    _cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t len = 0;
    while (len < size - 1) {
        ssize_t n = read(fd, text + len, size - 1 - len);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    text[len] = '\0';
    return len > 0;
}

/* Seconds since 1970 when the machine started, from /proc/stat; 0 when it does not say. */
static double boot_time(void)
{
    _cleanup_(cleanup_file) FILE *file = fopen("/proc/stat", "re");
    char line[256];
    double at = 0;
    while (file && at == 0 && fgets(line, sizeof line, file)) {
        /* the kernel's own text, and the count is judged */
        // NOLINTNEXTLINE(cert-err34-c)
        if (sscanf(line, "btime %lf", &at) != 1)
            at = 0;
    }
    return at;
}

static void fill_from_stat(void)
{
    char text[1024];
    if (!read_text("/proc/self/stat", text, sizeof text))
        return;
    const char *at = strrchr(text, ')'); /* the program's name may hold anything, also a bracket */
    unsigned long long user, kernel, started, virtual;
    long threads, resident;
    /* proc(5): state is field 3; utime 14, stime 15, num_threads 20, starttime 22, vsize 23, rss 24 */
    if (!at ||
        sscanf(at + 1, // NOLINT(cert-err34-c): as above

               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %ld %*d %llu %llu %ld",
               &user, &kernel, &threads, &started, &virtual, &resident) != 6)
        return;
    double ticks = (double)sysconf(_SC_CLK_TCK);
    metric_set(metrics[CPU], (double)(user + kernel) / ticks, METRIC_NO_LABELS);
    metric_set(metrics[RESIDENT], (double)resident * (double)sysconf(_SC_PAGESIZE), METRIC_NO_LABELS);
    metric_set(metrics[VIRTUAL], (double)virtual, METRIC_NO_LABELS);
    metric_set(metrics[THREADS], (double)threads, METRIC_NO_LABELS);
    metric_set(metrics[START_TIME], boot_time() + (double)started / ticks, METRIC_NO_LABELS);
}

static void fill_fds(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metric_set(metrics[MAX_FDS], (double)limit.rlim_cur, METRIC_NO_LABELS);
    DIR *dir = opendir("/proc/self/fd");
    if (!dir)
        return;
    int count = -1; /* the folder's own descriptor */
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        count += entry->d_name[0] != '.';
    closedir(dir);
    metric_set(metrics[OPEN_FDS], count, METRIC_NO_LABELS);
}

static void collect(void *arg)
{
    (void)arg;
    fill_from_stat();
    fill_fds();
}

static void declare_all(void)
{
    for (size_t i = 0; i < FACT_COUNT; i++)
        metrics[i] = metric_declare(facts[i].name, facts[i].type, facts[i].help, "");
    metrics_on_collect(collect, NULL);
}

void metrics_process(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, declare_all);
}
