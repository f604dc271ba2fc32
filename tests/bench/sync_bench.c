/*
 * What durability costs on this disk: appends of 4 KiB with fdatasync each, as microseconds at the median.
 * sync_bench FILE COUNT
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/bench/measure.h"

#define APPEND 4096

int main(int argc, char **argv)
{
    static char block[APPEND];
    long count = argc == 3 ? atol(argv[2]) : 0;
    int fd = count > 0 ? open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    int64_t *took = calloc((size_t)count + 1, sizeof(*took));

    if (fd < 0 || !took)
        return 2;
    for (long i = 0; i < count; i++) {
        int64_t began = wall_ns();

        if (write(fd, block, sizeof(block)) != sizeof(block) || fdatasync(fd) < 0)
            return 1;
        took[i] = wall_ns() - began;
    }
    qsort(took, (size_t)count, sizeof(*took), by_time);
    printf("%.1f\n", (double)took[count / 2] / 1e3);
    return 0;
}
