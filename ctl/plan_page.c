#include "ctl/plan_page.h"

#include "base/json.h"
#include "ctl/output.h"
#include "ctl/text.h"

static void put(FILE *to, const char *before, const char *text, const char *after)
{
    fputs(before, to);
    text_put(to, text ? text : "?");
    fputs(after, to);
}

static void put_effect(FILE *to, const json_t *effect)
{
    const char *reversible = json_get_text(effect, "reversible");
    int64_t count = json_get_int(effect, "count", -1), bytes = json_get_int(effect, "bytes", -1);
    char text[TEXT_SHORT];

    fputs(json_get_bool(effect, "destructive", false) ? "  ! " : "  - ", to);
    put(to, "", json_get_text(effect, "action"), " ");
    put(to, "", json_get_text(effect, "resource"), "");
    if (count > 1 || (count >= 0 && bytes > 0)) { /* of items where bytes are said, of things otherwise */
        text_count(count, text);
        fprintf(to, ", %s%s", text, bytes > 0 ? " items" : "");
    }
    if (bytes > 0) {
        text_bytes(bytes, text);
        fprintf(to, ", %s", text);
    }
    if (json_get_bool(effect, "destructive", false))
        fputs(", DESTRUCTIVE", to);
    if (reversible)
        put(to, " (", reversible, ")");
    fputc('\n', to);
}

static void put_effects(FILE *to, const json_t *effects)
{
    size_t i;
    json_t *effect;

    fputs("effects:\n", to);
    json_array_foreach((json_t *)(uintptr_t)effects, i, effect)
        put_effect(to, effect);
}

static void put_warnings(FILE *to, const json_t *warnings)
{
    size_t i;
    json_t *warning;

    if (json_array_size(warnings) > 0)
        fputs("warnings:\n", to);
    json_array_foreach((json_t *)(uintptr_t)warnings, i, warning)
        put(to, "  * ", json_string_value(warning), "\n");
}

static void put_needs(FILE *to, const json_t *plan)
{
    const json_t *needs = json_object_get(plan, "needs");

    if (json_get_bool(needs, "mfa", false))
        fputs("needs:       a second factor: a token with fresh MFA, or --otp\n", to);
    if (json_get_bool(needs, "second_person", false))
        fputs("needs:       a second person's approval\n", to);
}

static void put_section(FILE *to, const char *title, const json_t *object)
{
    if (json_object_size(object) == 0)
        return;
    fprintf(to, "%s:\n", title);
    output_members(to, object, 2);
}

void plan_page(FILE *to, const json_t *plan)
{
    put(to, "plan:        ", json_get_text(plan, "kind"), "");
    put(to, " in ", json_get_text(plan, "environment"), "\n");
    put_section(to, "spec", json_object_get(plan, "spec"));
    put_section(to, "resources", json_object_get(plan, "resources"));
    put_effects(to, json_object_get(plan, "effects"));
    put_section(to, "estimates", json_object_get(plan, "estimates"));
    put_warnings(to, json_object_get(plan, "warnings"));
    put_needs(to, plan);
    put(to, "valid until: ", json_get_text(plan, "expires_at"), "\n");
    put(to, "plan hash:   ", json_get_text(plan, "plan_hash"), "\n");
}

const char *plan_destroys(const json_t *plan)
{
    size_t i;
    json_t *effect;
    const char *name, *slash;

    json_array_foreach(json_object_get(plan, "effects"), i, effect) {
        if (!json_get_bool(effect, "destructive", false))
            continue;
        name = json_get_text(effect, "resource");
        slash = name ? strchr(name, '/') : NULL;
        return slash ? slash + 1 : name ? name : "yes";
    }
    return json_get_bool(plan, "destructive", false) ? "yes" : NULL;
}
