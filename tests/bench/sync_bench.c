/*
 * What durability costs on this disk: appends of 4 KiB with fdatasync each, as microseconds at the median.
 * sync_bench FILE COUNT
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define APPEND 4096

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static char block[APPEND];
    long count = argc == 3 ? atol(argv[2]) : 0;
    int fd = count > 0 ? open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    int64_t *took = calloc((size_t)count + 1, sizeof(*took));

    if (fd < 0 || !took)
        return 2;
    for (long i = 0; i < count; i++) {
        int64_t began = now_ns();

        if (write(fd, block, sizeof(block)) != sizeof(block) || fdatasync(fd) < 0)
            return 1;
        took[i] = now_ns() - began;
    }
    qsort(took, (size_t)count, sizeof(*took), by_time);
    printf("%.1f\n", (double)took[count / 2] / 1e3);
    return 0;
}
