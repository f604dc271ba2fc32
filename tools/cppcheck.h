/* jansson's loops, for cppcheck, which does not read system headers. */
#pragma once
#define json_array_foreach(a, i, v) for (i = 0; (v = json_array_get(a, i)) != NULL; i++)
#define json_object_foreach(o, k, v)                                                                         \
    for (k = json_object_iter_key(json_object_iter(o)); (v = json_object_get(o, k)) != NULL;                 \
         k = next_key(o, k))
