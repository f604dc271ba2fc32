/* A file beside the database that only takes room. When a write meets a full disk it is given up, so that
 * what fails for want of room can still be recorded as failed. */
#include "store/sqlite/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int64_t free_of(const char *dir)
{
    struct statvfs facts;

    if (statvfs(dir, &facts) < 0)
        return 0; /* a folder that cannot be asked has no room to offer */
    return (int64_t)facts.f_bavail * (int64_t)facts.f_frsize;
}

int64_t ballast_free_bytes(const struct ballast *ballast)
{
    int64_t data = free_of(ballast->data_dir), database = free_of(ballast->database_dir);

    return data < database ? data : database;
}

/* With the lock held. */
static void make(struct ballast *ballast)
{
    _cleanup_(cleanup_close) int fd = -1;
    struct stat facts;

    fd = open(ballast->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return;
    if (fstat(fd, &facts) == 0 && facts.st_size >= STORE_BALLAST &&
        (int64_t)facts.st_blocks * 512 >= STORE_BALLAST) {
        ballast->there = true;
        return;
    }
    if (posix_fallocate(fd, 0, STORE_BALLAST) == 0)
        ballast->there = true;
    else
        unlink(ballast->path);
}

int ballast_init(struct ballast *ballast, const struct sqlite_store *store,
                 const struct store_options *options, struct err *err)
{
    *ballast = (struct ballast){.data_dir = store->data_dir,
                                .database_dir = store->database_dir,
                                .min_free_bytes = options->min_free_bytes,
                                .wanted = !options->migrate_only};
    pthread_mutex_init(&ballast->lock, NULL);
    if (asprintf(&ballast->path, "%s.ballast", store->path) < 0) {
        ballast->path = NULL;
        return err_set(err, ERR_NO_MEMORY, "no memory for a path");
    }
    /* a start on a full disk is a start without ballast: jobs are refused, failures may still find room */
    if (ballast->wanted)
        make(ballast);
    return 0;
}

void ballast_done(struct ballast *ballast)
{
    if (!ballast->path)
        return;
    free(ballast->path);
    ballast->path = NULL;
    pthread_mutex_destroy(&ballast->lock);
}

bool ballast_give_up(struct ballast *ballast)
{
    bool was_there;

    pthread_mutex_lock(&ballast->lock);
    was_there = ballast->there;
    if (was_there)
        unlink(ballast->path);
    ballast->there = false;
    pthread_mutex_unlock(&ballast->lock);
    return was_there;
}

int ballast_check(struct ballast *ballast, struct err *err)
{
    int64_t room = ballast_free_bytes(ballast);
    bool there;

    if (room < ballast->min_free_bytes)
        return err_set(err, ERR_STORE_FULL, "%" PRId64 " bytes are free, new jobs need %" PRId64, room,
                       ballast->min_free_bytes);
    pthread_mutex_lock(&ballast->lock);
    /* twice its size: making it again must not be what fills the disk */
    if (!ballast->there && ballast->wanted && room - ballast->min_free_bytes >= 2 * STORE_BALLAST)
        make(ballast);
    there = ballast->there || !ballast->wanted;
    pthread_mutex_unlock(&ballast->lock);
    if (!there)
        return err_set(err, ERR_STORE_FULL, "the disk was full and has not enough room yet");
    return 0;
}
