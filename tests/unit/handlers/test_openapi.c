/* openapi.yaml against the tables that the program is made of: routes, errors, kinds, states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/yaml.h"
#include "handlers/handlers.h"
#include "jobs/kinds.h"

static struct arena *arena;
static const struct yaml_node *document;

static int read_document(void **state)
{
    struct buffer text = BUFFER_INIT(CONFIG_MAX);
    struct faults faults;
    FILE *file = fopen("openapi.yaml", "re");
    char chunk[4096];
    size_t len;

    (void)state;
    arena = arena_new(64 * MIB);
    faults_init(&faults, arena);
    while (file && (len = fread(chunk, 1, sizeof(chunk), file)) > 0)
        buffer_add(&text, chunk, len);
    if (!file)
        return -1;
    fclose(file);
    document = yaml_read(arena_bytes(arena, buffer_bytes(&text)), "openapi.yaml", arena, &faults);
    buffer_done(&text);
    if (faults.count > 0)
        print_error("%s: %s\n", faults.list[0].place, faults.list[0].detail);
    return document && faults.count == 0 ? 0 : -1;
}

static int free_document(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static const struct yaml_node *at(const struct yaml_node *node, const char *const *names)
{
    for (; node && *names; names++)
        node = yaml_get(node, *names);
    return node;
}
#define AT(node, ...) at((node), (const char *const[]){__VA_ARGS__, NULL})

static const char *text(const struct yaml_node *node)
{
    return node && node->type == YAML_TEXT ? node->text : "";
}

/* The operation of a route; {path...} is {path} there. */
static const struct yaml_node *operation_of(const struct route *route)
{
    char path[256], method[8];
    char *dots;

    str_copy(path, sizeof(path), route->path);
    dots = strstr(path, "...");
    if (dots)
        memmove(dots, dots + 3, strlen(dots + 3) + 1);
    str_copy(method, sizeof(method), route->method);
    for (char *c = method; *c; c++)
        *c = (char)(*c | 0x20);
    return AT(document, "paths", path, method);
}

static void every_route_is_an_operation_with_its_role(void **state)
{
    (void)state;
    for (const struct route *route = routes; route->method; route++) {
        const struct yaml_node *operation = operation_of(route);
        const char *role = route->by_kind               ? "by kind"
                           : route->role == ROLE_ANY    ? "any"
                           : route->role == ROLE_PUBLIC ? "public"
                                                        : role_name(route->role);

        if (!operation)
            fail_msg("%s %s is missing", route->method, route->path);
        assert_string_equal(text(yaml_get(operation, "operationId")), route->operation);
        assert_string_equal(text(yaml_get(operation, "x-role")), role);
        assert_int_equal(yaml_get(operation, "security") != NULL, route->role == ROLE_PUBLIC);
    }
}

static void no_operation_is_without_a_route(void **state)
{
    size_t operations = 0, rows = 0;

    (void)state;
    for (const struct yaml_node *path = yaml_get(document, "paths")->first; path; path = path->next)
        operations += path->count;
    for (const struct route *route = routes; route->method; route++)
        rows++;
    assert_int_equal(operations, rows);
}

static const struct yaml_node *referenced(const struct yaml_node *reference)
{
    const char *pointer = text(yaml_get(reference, "$ref"));
    const struct yaml_node *found;

    if (!str_starts(pointer, "#/components/"))
        return reference;
    char *copy = arena_strdup(arena, pointer + strlen("#/components/"));
    char *slash = strchr(copy, '/');
    *slash = '\0';
    found = AT(document, "components", copy, slash + 1);
    if (!found)
        fail_msg("%s leads nowhere", pointer);
    return found;
}

static bool has_parameter(const struct yaml_node *operation, const char *where, const char *name)
{
    const struct yaml_node *list = yaml_get(operation, "parameters");

    for (const struct yaml_node *p = list ? list->first : NULL; p; p = p->next)
        if (str_is(text(yaml_get(referenced(p), "in")), where) &&
            str_is(text(yaml_get(referenced(p), "name")), name))
            return true;
    return false;
}

static size_t count_parameters(const struct yaml_node *operation, const char *where)
{
    const struct yaml_node *list = yaml_get(operation, "parameters");
    size_t count = 0;

    for (const struct yaml_node *p = list ? list->first : NULL; p; p = p->next)
        count += str_is(text(yaml_get(referenced(p), "in")), where);
    return count;
}

static void parameters_are_those_of_the_row(void **state)
{
    (void)state;
    for (const struct route *route = routes; route->method; route++) {
        const struct yaml_node *operation = operation_of(route);
        char *query = arena_strdup(arena, route->query ? route->query : "");
        size_t names = 0;
        char *next;

        for (char *name = strtok_r(query, " ", &next); name; name = strtok_r(NULL, " ", &next), names++) {
            name[strcspn(name, "*")] = '\0';
            if (!has_parameter(operation, "query", name))
                fail_msg("%s: query parameter %s is missing", route->operation, name);
        }
        assert_int_equal(count_parameters(operation, "query"), names);
        assert_int_equal(has_parameter(operation, "header", "Idempotency-Key"), route->idempotent);
        assert_int_equal(has_parameter(operation, "header", "Recoverd-OTP"), route->otp);
        assert_int_equal(has_parameter(operation, "header", "If-Match"), route->if_match);
    }
}

static void bodies_are_those_of_the_row(void **state)
{
    (void)state;
    for (const struct route *route = routes; route->method; route++) {
        const struct yaml_node *body = yaml_get(operation_of(route), "requestBody");
        const struct yaml_node *schema;
        size_t members = 0;

        assert_int_equal(body != NULL, route->body != NULL);
        if (!body)
            continue;
        assert_string_equal(text(yaml_get(body, "required")), route->body_optional ? "false" : "true");
        schema = referenced(AT(body, "content", "application/json", "schema"));
        for (const struct field *field = route->body; field->type != FIELD_TYPE_END; field++, members++)
            if (!AT(schema, "properties", field->name))
                fail_msg("%s: member %s is missing", route->operation, field->name);
        assert_int_equal(yaml_get(schema, "properties")->count, members);
        assert_string_equal(text(yaml_get(schema, "additionalProperties")), "false");
    }
}

static void every_row_has_its_statuses(void **state)
{
    static const char *const guarded[] = {"401", "403", "405", "406", "500", "503"};

    (void)state;
    for (const struct route *route = routes; route->method; route++) {
        const struct yaml_node *responses = yaml_get(operation_of(route), "responses");
        char status[8];

        snprintf(status, sizeof(status), "%d", route->status);
        if (!yaml_get(responses, status))
            fail_msg("%s: %s is missing", route->operation, status);
        for (size_t i = 0; i < COUNT_OF(guarded); i++)
            if (!yaml_get(responses, guarded[i]) && !(route->role == ROLE_PUBLIC && i < 2))
                fail_msg("%s: %s is missing", route->operation, guarded[i]);
        if (route->body &&
            (!yaml_get(responses, "413") || !yaml_get(responses, "415") || !yaml_get(responses, "422")))
            fail_msg("%s: a status of bodies is missing", route->operation);
        if (route->if_match && (!yaml_get(responses, "412") || !yaml_get(responses, "428")))
            fail_msg("%s: a status of preconditions is missing", route->operation);
    }
}

static void the_codes_are_those_of_the_table(void **state)
{
    const struct yaml_node *codes =
        AT(document, "components", "schemas", "Problem", "properties", "code", "enum");
    const struct yaml_node *code = codes->first;

    (void)state;
    assert_int_equal(codes->count, ERR_COUNT - 1);
    for (int i = 1; i < ERR_COUNT; i++, code = code->next)
        assert_string_equal(text(code), err_info((enum err_code)i)->name);
}

static void states_are_those_of_the_tables(void **state)
{
    const struct yaml_node *jobs = AT(document, "components", "schemas", "JobState", "enum");
    const struct yaml_node *points = AT(document, "components", "schemas", "PointStatus", "enum");
    const struct yaml_node *word;
    int i;

    (void)state;
    assert_int_equal(jobs->count, JOB_STATE_COUNT);
    for (i = 0, word = jobs->first; word; word = word->next, i++)
        assert_string_equal(text(word), job_state_name((enum job_state)i));
    assert_int_equal(points->count, POINT_STATUS_COUNT);
    for (i = 0, word = points->first; word; word = word->next, i++)
        assert_string_equal(text(word), point_status_name((enum point_status)i));
}

/* -- kinds: the same schema, member by member -- */

static json_t *scalar(const struct yaml_node *node)
{
    json_t *value = NULL;

    if (!node->quoted)
        value = json_loads(node->text, JSON_DECODE_ANY, NULL);
    if (value && json_is_string(value)) {
        json_decref(value);
        value = NULL;
    }
    return value ? value : json_string(node->text);
}

static json_t *to_json(const struct yaml_node *node)
{
    json_t *value;

    if (node->type == YAML_TEXT)
        return scalar(node);
    value = node->type == YAML_LIST ? json_array() : json_object();
    for (const struct yaml_node *child = node->first; child; child = child->next)
        if (node->type == YAML_LIST)
            json_array_append_new(value, to_json(child));
        else
            json_object_set_new(value, child->name, to_json(child));
    return value;
}

static void same_schema(const char *part, const char *kind, const struct field *fields)
{
    static const struct json_limits limits = {.max_depth = 64};
    struct buffer out = BUFFER_INIT(MIB);
    const struct yaml_node *node;
    json_auto_t *wanted = NULL, *found = NULL;
    struct err err = ERR_INIT;
    struct json_writer w;
    char name[96];

    json_put_begin(&w, &out);
    fields_schema(fields, &w, NULL);
    assert_int_equal(json_parse(buffer_bytes(&out), &limits, &wanted, &err), 0);
    snprintf(name, sizeof(name), "%s.%s", part, kind);
    node = AT(document, "components", "schemas", name);
    found = node ? to_json(node) : json_null();
    if (strcmp(json_canonical(arena, wanted), json_canonical(arena, found)) != 0)
        fail_msg("components.schemas.%s should be\n%s\nand is\n%s", name, json_canonical(arena, wanted),
                 json_canonical(arena, found));
    buffer_done(&out);
}

static void the_schemas_of_kinds_are_those_of_their_fields(void **state)
{
    (void)state;
    for (size_t i = 0; job_kinds[i]; i++) {
        same_schema("spec", job_kinds[i]->name, job_kinds[i]->spec);
        if (job_kinds[i]->result)
            same_schema("result", job_kinds[i]->name, job_kinds[i]->result);
    }
}

static void the_table_of_routes_is_sound(void **state)
{
    static const struct route without_role[] = {{"GET", "/x", "x", ROLE_UNSET, me_get, .status = 200}, {0}};
    static const struct route without_handler[] = {{"GET", "/x", "x", ROLE_ANY, NULL, .status = 200}, {0}};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(routes_sound(routes, &err), 0);
    assert_int_equal(routes_sound(without_role, &err), -1);
    err_clear(&err);
    assert_int_equal(routes_sound(without_handler, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_an_operation_with_its_role),
        cmocka_unit_test(no_operation_is_without_a_route),
        cmocka_unit_test(parameters_are_those_of_the_row),
        cmocka_unit_test(bodies_are_those_of_the_row),
        cmocka_unit_test(every_row_has_its_statuses),
        cmocka_unit_test(the_codes_are_those_of_the_table),
        cmocka_unit_test(states_are_those_of_the_tables),
        cmocka_unit_test(the_schemas_of_kinds_are_those_of_their_fields),
        cmocka_unit_test(the_table_of_routes_is_sound),
    };

    return cmocka_run_group_tests(tests, read_document, free_document);
}
