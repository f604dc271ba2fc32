/* Functions that this program does not use; each has a better one. Included before everything by the
 * Makefile. rand and system are words that libraries' headers use as names: lint looks for those calls. */
#pragma once
#include <string.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#pragma GCC poison strcpy strcat sprintf vsprintf strtok gmtime localtime asctime ctime gets
