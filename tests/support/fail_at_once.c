/*
 * An assertion that fails on another thread than the test's, as in a transaction on the store's writer:
 * cmocka cannot jump back from there, and calls exit, which waits for threads that wait for this one, and
 * forgets what it had to say. Here the program says where and ends. The Makefile links this into each unit
 * test by naming the symbol, which the library's own calls then find first.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

void _fail(const char *file, int line); /* cmocka's own, as its header declares it */

void _fail(const char *file, int line)
{
    void (*theirs)(const char *, int);

    if (gettid() != getpid()) {
        dprintf(STDERR_FILENO, "%s:%d: an assertion failed on another thread than the test's\n", file, line);
        _exit(98);
    }
    *(void **)&theirs = dlsym(RTLD_NEXT, "_fail");
    theirs(file, line);
    _exit(98); /* not reached: cmocka's jumps */
}
