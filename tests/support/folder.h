/* Folders of a test's own below /tmp, which go with all that is in them. */
#pragma once

#define FOLDER_SIZE 64

/* Makes an empty one, /tmp/recoverd-NAME-XXXXXX, mode 0700. Ends the test program when it cannot. */
void folder_make(const char *name, char ret_path[FOLDER_SIZE]);
/* Removes it, following no link. What is not there is no fault. */
void folder_remove(const char *path);
