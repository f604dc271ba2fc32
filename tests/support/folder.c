#include "tests/support/folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

void folder_make(const char *name, char ret_path[FOLDER_SIZE])
{
    snprintf(ret_path, FOLDER_SIZE, "/tmp/recoverd-%s-XXXXXX", name);
    if (mkdtemp(ret_path))
        return;
    perror(ret_path);
    exit(99);
}

static int remove_one(const char *path, const struct stat *facts, int type, struct FTW *ftw)
{
    (void)facts, (void)type, (void)ftw;
    return remove(path);
}

void folder_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
