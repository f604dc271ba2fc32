/* Request bodies against the tables of fields: those of every route and of every kind of job. What is taken
 * is taken again as it was normalised, and its normal form is then the same. */
#include "tests/fuzz/fuzz.h"

#include "base/fields.h"
#include "base/json.h"
#include "handlers/route.h"
#include "jobs/kinds.h"

static const struct field *table_of(unsigned n)
{
    const struct field *found[64];
    size_t count = 0;

    for (const struct route *r = routes; r->method; r++)
        if (r->body && count < COUNT_OF(found))
            found[count++] = r->body;
    for (const struct job_kind *const *k = job_kinds; *k; k++)
        if ((*k)->spec && count < COUNT_OF(found))
            found[count++] = (*k)->spec;
    HOLDS(count > 0);
    return found[n % count];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct json_limits limits = {.max_depth = HTTP_BODY_DEPTH};
    struct input in = {data, size};
    const struct field *table = table_of(input_byte(&in));
    _cleanup_(arena_free_p) struct arena *arena = big_arena();
    json_auto_t *body = NULL, *normal = NULL, *again = NULL;
    struct err err = ERR_INIT;
    struct faults faults;

    if (json_parse(input_rest(&in), &limits, &body, &err) < 0 || !json_is_object(body))
        return 0;
    faults_init(&faults, arena);
    normal = fields_check(table, body, "/spec", &faults);
    HOLDS(!normal == (faults.total > 0) && faults.count <= FAULTS_MAX && faults.count <= faults.total);
    for (size_t i = 0; i < faults.count; i++) {
        HOLDS(str_starts(faults.list[i].place, "/spec"));
        HOLDS(utf8_valid_until(bytes_of(faults.list[i].detail)) == strlen(faults.list[i].detail));
    }
    if (!normal)
        return 0;
    again = fields_check(table, normal, "/spec", &faults);
    HOLDS(again && faults.total == 0 && json_equal(normal, again));
    return 0;
}
