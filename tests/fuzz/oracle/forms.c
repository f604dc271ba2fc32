/* Compares item_canonical with the oracle: reads lines "hex of an input, a space, hex of its form or !" as
 * tests/vectors/make_canonical.py --random writes them, says the first that differs and how many were equal.
 */
#include "tests/fuzz/fuzz.h"

#include "item/canonical.h"

/* Hex of exactly this text into a fresh block. */
static struct bytes unhex(struct bytes hex)
{
    char *data = malloc(hex.len / 2 + 1);

    HOLDS(data && hex.len % 2 == 0 && hex_decode(hex, data, hex.len / 2));
    char *exact = exact_copy((struct bytes){data, hex.len / 2});
    free(data);
    return (struct bytes){exact, hex.len / 2};
}

int main(void)
{
    struct err none = ERR_INIT;
    _cleanup_(item_scratch_free_p) struct item_scratch *scratch = item_scratch_new(&none);
    _cleanup_(cleanup_free) char *line = NULL;
    size_t size = 0;
    ssize_t len;
    unsigned long equal = 0, refused = 0;

    HOLDS(scratch);
    while ((len = getline(&line, &size, stdin)) > 0) {
        struct err err = ERR_INIT;
        const char *space = memchr(line, ' ', (size_t)len);

        HOLDS(space && line[len - 1] == '\n');
        struct bytes item = unhex((struct bytes){line, (size_t)(space - line)}), got = {NULL, 0},
                     want = {NULL, 0};
        bool taken = space[1] != '!';
        if (taken)
            want = unhex((struct bytes){space + 1, (size_t)(line + len - 1 - space - 1)});
        int rc = item_canonical(scratch, item, &got, &err);
        if ((rc == 0) != taken || (taken && !bytes_equal(got, want))) {
            printf("differs: %s", line);
            printf("item/: %s %.*s\n", rc ? err.message : "taken", (int)got.len, got.data ? got.data : "");
            return 1;
        }
        free((void *)(uintptr_t)item.data);
        free((void *)(uintptr_t)want.data);
        equal++;
        refused += !taken;
    }
    printf("%lu equal, %lu of them refused\n", equal, refused);
    return equal > 0 ? 0 : 1;
}
