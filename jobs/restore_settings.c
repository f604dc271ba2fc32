#include "jobs/restore_settings.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "jobs/capsule.h"
#include "jobs/settings.h"
#include "jobs/table_copy.h"

#define STATE "settings"
#define JOB "" /* a member of it beside the settings: the job of this chain of retries that is at work */
#define LOOK_MS 1000
#define SENT_MS 300     /* until a write is read again */
#define SETTLE_MS 20000 /* until a write that reads as if it had not been has failed */
#define TRIES_MAX 4     /* of what AWS could not answer */
#define FIRST_TRY_MS 500
#define SENDS_MAX 30 /* a setting of many steps: one index at a time */

struct applying {
    struct copy copy;
    struct work *work;
    struct setting_view view;
    struct dynamodb_table table;
    json_t *state;
    bool made, expired;
};

static void applying_done(struct applying *a)
{
    copy_close(&a->copy);
    json_decref(a->state);
}

static bool named(const json_t *spec, const char *list, const char *name)
{
    const json_t *one;
    size_t i;

    json_array_foreach(json_object_get(json_object_get(spec, "settings"), list), i, one)
        if (str_is(json_string_value(one), name))
            return true;
    return false;
}

bool restore_takes_setting(const json_t *spec, const char *name)
{
    const struct setting *setting = setting_find(name);
    const json_t *ttl = json_object_get(json_object_get(spec, "settings"), "ttl");

    if (!setting || setting->use == SETTING_NEVER || named(spec, "skip", name))
        return false;
    if (str_is(name, "ttl") && json_is_false(ttl))
        return false;
    return setting->use != SETTING_WHEN_NAMED || named(spec, "apply", name);
}

/* -- outcomes -- */

static int end_with(struct applying *a, json_t *entry, const char *outcome, const char *detail,
                    struct err *err)
{
    json_object_set_new(entry, "outcome", json_string(outcome));
    if (detail)
        json_object_set_new(entry, "detail", json_string(detail));
    return work_state_put(a->work, STATE, a->state, err);
}

/* Codes that say nothing about the setting. */
static bool ends_attempt(enum err_code code)
{
    return code == ERR_CANCELLED || code == ERR_DRAINING || code == ERR_LEASE_LOST || code == ERR_NO_MEMORY ||
           code == ERR_AWS_CREDENTIALS || code == ERR_AWS_THROTTLED || code == ERR_AWS_LIMIT;
}

/* What may go away by itself is tried again before it is an outcome. 0: not any more. */
static int be_patient(struct applying *a, json_t *entry, const struct err *failed)
{
    int64_t tries = json_get_int(entry, "tries", 0);

    if (!err_info(failed->code)->retryable || tries >= TRIES_MAX)
        return 0;
    json_object_set_new(entry, "tries", json_integer(tries + 1));
    return work_again(a->work, FIRST_TRY_MS << tries, "aws");
}

/* 0: an outcome was found without looking at the table. 1: it must be looked at. */
static int decide(struct applying *a, const struct setting *setting, json_t *entry, struct err *err)
{
    const json_t *wanted = capsule_value(a->copy.capsule, setting->name);
    const json_t *ttl = json_object_get(json_object_get(a->work->spec, "settings"), "ttl");
    const char *lost = "it could not be read when the backup was made";
    bool unreadable = capsule_state(a->copy.capsule, setting->name) == CAPSULE_UNREADABLE;
    bool named_only = setting->use == SETTING_WHEN_NAMED;

    if (!restore_takes_setting(a->work->spec, setting->name))
        return end_with(a, entry, "skipped", unreadable ? lost : named_only ? "only recorded" : NULL, err);
    if (unreadable)
        return end_with(a, entry, "unreadable", lost, err);
    if (!wanted)
        return end_with(a, entry, "unsupported", "where the backup was made it was not known", err);
    if (str_is(setting->name, "ttl") && json_is_string(wanted) && a->expired && !json_is_true(ttl))
        return end_with(a, entry, "skipped", "items have expired already: they would vanish", err);
    return 1;
}

/* -- one setting -- */

/* The answer of the last write is known: what it did shows in a moment. */
static int answered(struct applying *a, json_t *entry, struct err *err)
{
    json_object_del(entry, "lost");
    return work_state_put(a->work, STATE, a->state, err) < 0 ? -1 : work_again(a->work, SENT_MS, "aws");
}

static int refused(struct applying *a, json_t *entry, const struct err *failed, struct err *err)
{
    int again;

    if (failed->code == ERR_AWS_UNSUPPORTED)
        return end_with(a, entry, "unsupported", failed->message, err);
    again = be_patient(a, entry, failed);
    if (again)
        return work_state_put(a->work, STATE, a->state, err) < 0 ? -1 : again;
    /* When an answer was lost, what it said yes to is refused at the second try: the table itself is asked.
     */
    json_object_set_new(entry, "refused", json_string(failed->message));
    return answered(a, entry, err);
}

static int send(struct applying *a, const struct setting *setting, json_t *entry, const json_t *wanted,
                json_t *found, struct err *err)
{
    json_auto_t *detail = json_pack("{s:s}", "setting", setting->name);
    struct effect effect = {.action = setting->action,
                            .object = table_object(a->work, a->copy.target),
                            .name = STATE,
                            .state = a->state,
                            .detail = detail};
    int64_t sends = json_get_int(entry, "sends", 0) + 1;
    struct err failed = ERR_INIT;
    int result;

    json_object_set(entry, "last", found);
    json_object_set_new(entry, "sends", json_integer(sends));
    json_object_set_new(entry, "sent_at", json_integer(clock_wall_ms()));
    /* Until its answer is known it counts as lost: whoever finds it so, after a crash too, sends it again. */
    json_object_set_new(entry, "lost", json_true());
    if (work_intent(a->work, &effect, err) < 0)
        return -1;
    result = setting->apply(&a->view, wanted, found, &failed);
    if (work_outcome(a->work, &effect, result < 0 ? &failed : NULL, NULL, err) < 0)
        return -1;
    if (result == 0)
        return answered(a, entry, err);
    if (failed.code == ERR_AWS_CONFLICT && sends < SENDS_MAX) /* AWS is at work on the table already */
        return work_again(a->work, LOOK_MS * (sends < 10 ? sends : 10), "aws");
    if (ends_attempt(failed.code)) {
        *err = failed;
        return -1;
    }
    return refused(a, entry, &failed, err);
}

static int settle(struct applying *a, const struct setting *setting, json_t *entry, json_t *found,
                  struct err *err)
{
    const json_t *wanted = capsule_value(a->copy.capsule, setting->name);
    int64_t sends = json_get_int(entry, "sends", 0);
    bool moved = !json_equal(found, json_object_get(entry, "last"));

    json_object_set(entry, "found", found);
    if (setting_same(setting, wanted, found))
        return end_with(a, entry,
                        sends > 0 || (a->made && setting->use == SETTING_WITH_TABLE) ? "applied" : "already",
                        NULL, err);
    if (!moved && json_get_text(entry, "refused"))
        return end_with(a, entry, "failed", json_get_text(entry, "refused"), err);
    json_object_del(entry, "refused");
    if (!setting->apply)
        return end_with(a, entry, "failed", "it cannot be changed on a table that exists", err);
    if (!moved && json_object_get(entry, "lost"))
        return send(a, setting, entry, wanted, found, err);
    if (sends > 0 && !moved && clock_wall_ms() - json_get_int(entry, "sent_at", 0) < SETTLE_MS)
        return work_again(a->work, LOOK_MS, "aws");
    if ((sends > 0 && !moved) || sends >= SENDS_MAX)
        return end_with(a, entry, "failed", "AWS took it, and it reads otherwise", err);
    return send(a, setting, entry, wanted, found, err);
}

static int apply_one(struct applying *a, const struct setting *setting, struct err *err)
{
    json_t *entry = json_object_get(a->state, setting->name);
    json_auto_t *found = NULL;
    struct err failed = ERR_INIT;
    int result;

    if (json_get_text(entry, "outcome") || capsule_state(a->copy.capsule, setting->name) == CAPSULE_ABSENT)
        return WORK_DONE;
    /* What is only recorded, and was not there to record, is nothing to tell. */
    if (setting->use >= SETTING_WHEN_NAMED && !restore_takes_setting(a->work->spec, setting->name) &&
        capsule_state(a->copy.capsule, setting->name) != CAPSULE_UNREADABLE &&
        !setting_is_set(capsule_value(a->copy.capsule, setting->name)))
        return WORK_DONE;
    if (!entry) {
        entry = json_object();
        if (json_object_set_new(a->state, setting->name, entry) < 0)
            return err_set(err, ERR_NO_MEMORY, "no memory for settings");
    }
    result = decide(a, setting, entry, err);
    if (result <= 0)
        return result;
    if (setting->read(&a->view, &found, &failed) == 0)
        return settle(a, setting, entry, found, err);
    if (ends_attempt(failed.code)) {
        *err = failed;
        return -1;
    }
    result = be_patient(a, entry, &failed);
    if (result)
        return work_state_put(a->work, STATE, a->state, err) < 0 ? -1 : result;
    return end_with(a, entry, failed.code == ERR_AWS_UNSUPPORTED ? "unsupported" : "unreadable",
                    failed.message, err);
}

/* -- all of them -- */

static int finish(struct applying *a, struct err *err)
{
    json_auto_t *list = json_array();
    json_auto_t *result = NULL;
    const char *bad = "";

    for (const struct setting *s = settings; s->name; s++) {
        const json_t *entry = json_object_get(a->state, s->name);
        const char *outcome = json_get_text(entry, "outcome");

        if (!outcome)
            continue;
        if (str_is(outcome, "failed") || str_is(outcome, "unreadable"))
            bad = arena_printf(a->work->arena, "%s%s%s %s", bad, *bad ? ", " : "", s->name, outcome);
        if (!bad ||
            json_array_append_new(list, json_pack("{s:s,s:O?,s:O?,s:s,s:s*}", "name", s->name, "wanted",
                                                  capsule_value(a->copy.capsule, s->name), "found",
                                                  json_object_get(entry, "found"), "outcome", outcome,
                                                  "detail", json_get_text(entry, "detail"))) < 0)
            return err_set(err, ERR_NO_MEMORY, "no memory for settings");
    }
    result = json_pack("{s:O}", "settings", list);
    if (!result)
        return err_set(err, ERR_NO_MEMORY, "no memory for settings");
    if (*bad && work_partial(a->work, "SettingsApplied", ERR_SETTING_FAILED, bad, err) < 0)
        return -1;
    return work_result(a->work, result, err);
}

/* A retry of a partial restore asks once more for what AWS refused; what was applied is not touched. */
static void forget_refused(struct applying *a)
{
    for (const struct setting *s = settings; s->name; s++) {
        const char *outcome = json_get_text(json_object_get(a->state, s->name), "outcome");

        if (str_is(outcome, "failed") || str_is(outcome, "unreadable"))
            json_object_del(a->state, s->name);
    }
}

static int begin(struct applying *a, struct err *err)
{
    if (!a->state && !(a->state = json_object()))
        return err_set(err, ERR_NO_MEMORY, "no memory for settings");
    if (str_is(json_get_text(a->state, JOB), a->work->id))
        return 0;
    forget_refused(a);
    if (json_object_set_new(a->state, JOB, json_string(a->work->id)) < 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for settings");
    return work_state_put(a->work, STATE, a->state, err);
}

static int prepare(struct applying *a, struct err *err)
{
    struct work *work = a->work;
    json_auto_t *expired = NULL;
    json_auto_t *made = NULL;

    if (copy_open(work, &a->copy, err) < 0 || table_made(work, &a->table, err) < 0 ||
        work_state_get(work, STATE, &a->state, err) < 0 ||
        work_state_get(work, "expired", &expired, err) < 0 || work_state_get(work, "table", &made, err) < 0)
        return -1;
    a->expired = expired != NULL;
    a->made = json_get_bool(made, "made", false);
    a->view = (struct setting_view){work->aws, work->arena, &a->table};
    return begin(a, err);
}

int restore_settings(struct work *work, struct err *err)
{
    _cleanup_(applying_done) struct applying a = {.work = work};

    if (prepare(&a, err) < 0)
        return -1;
    if (!table_ready(&a.table))
        return work_again(work, LOOK_MS, "aws");
    for (const struct setting *s = settings; s->name; s++) {
        int result = work_go(work, err) < 0 ? -1 : apply_one(&a, s, err);

        if (result != WORK_DONE)
            return result;
    }
    return finish(&a, err);
}
