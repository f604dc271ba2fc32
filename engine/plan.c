/* Plans: made by the kind on the requester's thread, hashed, kept a day; made again and compared before they
 * are used. */
#include <openssl/evp.h>

#include "base/clock.h"
#include "engine/internal.h"

int planning_init(struct planning *planning, struct err *err)
{
    *planning = (struct planning){json_object(), json_array(), json_object(), json_array(), false};
    if (planning->identities && planning->effects && planning->estimates && planning->warnings)
        return 0;
    return err_set(err, ERR_NO_MEMORY, "no memory for a plan");
}

void planning_done(struct planning *planning)
{
    json_decref(planning->identities);
    json_decref(planning->effects);
    json_decref(planning->estimates);
    json_decref(planning->warnings);
    *planning = (struct planning){0};
}

/* A plan holds a thread and asks AWS: a few at a time, and nobody has all of them. */
static int plan_slot_take(struct engine *engine, const char *identity, int *ret_slot, struct err *err)
{
    int slot = -1;
    int own = 0;

    pthread_mutex_lock(&engine->lock);
    for (int i = 0; i < PLANS_AT_ONCE; i++) {
        own += str_is(engine->planning[i], identity);
        if (!engine->planning[i][0])
            slot = i;
    }
    if (own >= PLANS_OF_ONE)
        slot = -1;
    if (slot >= 0)
        str_copy(engine->planning[slot], sizeof(engine->planning[slot]), identity);
    pthread_mutex_unlock(&engine->lock);
    *ret_slot = slot;
    if (slot >= 0)
        return 0;
    err->retry_after_s = 2;
    return own >= PLANS_OF_ONE ? err_set(err, ERR_BUSY, "%d plans of yours are being made already", own)
                               : err_set(err, ERR_BUSY, "%d plans are being made already", PLANS_AT_ONCE);
}

static void plan_slot_give(struct engine *engine, int slot)
{
    pthread_mutex_lock(&engine->lock);
    engine->planning[slot][0] = '\0';
    pthread_mutex_unlock(&engine->lock);
}

static int run_plan(struct engine *engine, struct ask *ask, struct planning *planning, struct err *err)
{
    _cleanup_(engine_session_done_p) struct engine_session *session = NULL;
    int result;

    if (engine_session_open(engine, ask->environment->name, PLAN_BUDGET_MS, &session, err) < 0)
        return -1;
    ask->aws = engine_session_aws(session);
    result = ask->kind->plan(ask, planning, err);
    ask->aws = NULL;
    return result;
}

int plan_make(struct engine *engine, struct ask *ask, struct planning *planning, struct err *err)
{
    int slot;
    int result;

    if (planning_init(planning, err) < 0)
        return -1;
    if (plan_slot_take(engine, ask->principal->identity, &slot, err) < 0)
        return -1;
    result = run_plan(engine, ask, planning, err);
    plan_slot_give(engine, slot);
    if (result == 0)
        result = faults_end(ask->faults, ERR_INVALID_SPEC, err);
    if (result < 0 && err->code == ERR_AWS_TIMEOUT)
        err->code = ERR_PLAN_TIMEOUT;
    return result;
}

char *planning_canonical(const struct planning *planning, struct arena *arena)
{
    json_auto_t *actions = json_array();
    json_auto_t *both = NULL;
    const json_t *effect;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)planning->effects, i, effect) {
        json_t *action =
            json_pack("[s,s,b]", json_get_text(effect, "resource"), json_get_text(effect, "action"),
                      json_get_bool(effect, "destructive", false));

        if (json_array_append_new(actions, action) < 0) /* what is not in it would not be agreed to */
            return NULL;
    }
    both = json_pack("{s:O,s:O}", "identities", planning->identities, "actions", actions);
    return both ? json_canonical(arena, both) : NULL;
}

static void digest_part(EVP_MD_CTX *md, struct bytes part)
{
    uint8_t len[8];

    for (int i = 0; i < 8; i++)
        len[i] = (uint8_t)((uint64_t)part.len >> (8 * (7 - i)));
    EVP_DigestUpdate(md, len, sizeof(len));
    EVP_DigestUpdate(md, part.data ? part.data : "", part.len);
}

static int plan_hash(const struct plan_row *row, struct hash *ret_hash, struct err *err)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ended;

    if (!md || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(md);
        return err_set(err, ERR_NO_MEMORY, "no memory for a digest");
    }
    digest_part(md, BYTES("plan/v1"));
    digest_part(md, row->nonce);
    digest_part(md, bytes_of(row->requester));
    digest_part(md, bytes_of(row->environment));
    digest_part(md, bytes_of(row->kind));
    digest_part(md, row->spec);
    digest_part(md, row->identities);
    ended = EVP_DigestFinal_ex(md, ret_hash->bytes, NULL) == 1;
    EVP_MD_CTX_free(md);
    return ended ? 0 : err_set(err, ERR_INTERNAL, "sha-256 is not available");
}

static void write_body(struct buffer *out, const struct planning *planning, const struct plan_row *row)
{
    char hash[HEX_SIZE(32)];
    char retry_of[ID_SIZE];
    struct json_writer w;

    hex_encode(row->hash.bytes, 32, hash);
    id_format(&row->retry_of, retry_of);
    json_put_begin(&w, out);
    json_put_object(&w, NULL);
    json_put_text(&w, "plan_hash", hash);
    json_put_time(&w, "created_at", row->created_at);
    json_put_time(&w, "expires_at", row->expires_at);
    json_put_text(&w, "requested_by", row->requester);
    json_put_text(&w, "kind", row->kind);
    json_put_text(&w, "environment", row->environment);
    if (!id_is_zero(&row->retry_of))
        json_put_text(&w, "retry_of", retry_of);
    json_put_raw(&w, "spec", row->spec);
    json_put_dom(&w, "resources", planning->identities);
    json_put_dom(&w, "effects", planning->effects);
    json_put_dom(&w, "estimates", planning->estimates);
    json_put_dom(&w, "warnings", planning->warnings);
    json_put_flag(&w, "destructive", row->destructive);
    json_put_object(&w, "needs");
    json_put_flag(&w, "mfa", row->needs_mfa);
    json_put_flag(&w, "second_person", false);
    json_put_object_end(&w);
    json_put_object_end(&w);
}

struct inserting {
    struct engine *engine;
    const struct submit *submit;
    const struct ask *ask;
    const struct plan_row *row;
    struct bytes detail; /* of the audit row */
};

static int audit_plan(struct tx *tx, const struct inserting *i, struct err *err)
{
    struct audit_entry entry = audit_entry_by(i->ask->principal, AUDIT_PLAN_MADE, "ok");
    char hash[HEX_SIZE(32)];

    hex_encode(i->row->hash.bytes, 32, hash);
    entry.object = i->ask->resource;
    entry.environment = i->row->environment;
    entry.request_id = i->submit->request_id;
    entry.plan_hash = hash;
    entry.detail = i->detail.data;
    return tx_audit(tx, i->engine->node, &entry, err);
}

static int insert(struct tx *tx, void *ctx, struct err *err)
{
    struct inserting *i = ctx;

    if (tx_plans_expire(tx, i->row->created_at, err) < 0 || tx_plan_insert(tx, i->row, err) < 0)
        return -1;
    return audit_plan(tx, i, err);
}

static int fill(struct plan_row *row, const struct submit *submit, const struct ask *ask,
                const struct planning *planning, struct err *err)
{
    char nonce[16];

    random_bytes(nonce, sizeof(nonce));
    row->nonce = arena_bytes(ask->arena, (struct bytes){nonce, sizeof(nonce)});
    row->requester = ask->principal->identity;
    row->environment = ask->environment->name;
    row->kind = ask->kind->name;
    row->spec = bytes_of(json_canonical(ask->arena, ask->spec));
    row->identities = bytes_of(planning_canonical(planning, ask->arena));
    row->destructive = planning->destructive;
    row->needs_mfa = planning->destructive || ask->kind->mfa == MFA_FRESH;
    row->retry_of = submit->retry_of;
    row->created_at = clock_wall_ms();
    row->expires_at = row->created_at + PLAN_KEPT_MS;
    if (!row->nonce.data || !row->spec.data || !row->identities.data)
        return err_set(err, ERR_NO_MEMORY, "no memory for a plan");
    return plan_hash(row, &row->hash, err);
}

int engine_plan(struct engine *engine, struct submit *submit, struct plan_row **ret_plan, struct err *err)
{
    _cleanup_(planning_done_p) struct planning planning = {0};
    _cleanup_(buffer_done) struct buffer body = BUFFER_INIT(DOCUMENT_MAX);
    struct plan_row *row = arena_make(submit->arena, struct plan_row);
    struct inserting inserting;
    struct ask ask;

    if (!row)
        return err_set(err, ERR_NO_MEMORY, "no memory for a plan");
    /* plans are kept for a day: a full disk is no place for more of them */
    if (ask_prepare(engine, submit, &ask, err) < 0 || store_accepting(engine->store, err) < 0 ||
        plan_make(engine, &ask, &planning, err) < 0 || fill(row, submit, &ask, &planning, err) < 0)
        return -1;
    write_body(&body, &planning, row);
    if (buffer_ok(&body, "the plan", err) < 0)
        return -1;
    row->body = arena_bytes(submit->arena, buffer_bytes(&body));
    if (!row->body.data)
        return err_set(err, ERR_NO_MEMORY, "no memory for a plan");
    inserting = (struct inserting){engine, submit, &ask, row, audit_detail(row->spec, submit->arena, err)};
    if (!inserting.detail.data)
        return -1;
    if (store_tx(engine->store, "plan", insert, &inserting, err) < 0)
        return -1;
    *ret_plan = row;
    return 0;
}

/* -- comparing -- */

static void change(json_t *changes, const char *resource, const char *member, const json_t *was,
                   const json_t *is)
{
    json_t *null = json_null();

    json_array_append_new(changes, json_pack("{s:s,s:s,s:O,s:O}", "resource", resource, "member", member,
                                             "was", was ? (json_t *)(uintptr_t)was : null, "is",
                                             is ? (json_t *)(uintptr_t)is : null));
}

static void changes_of(json_t *changes, const char *resource, json_t *was, json_t *is)
{
    const char *member;
    json_t *value;

    json_object_foreach(was, member, value)
        if (!json_equal(value, json_object_get(is, member)))
            change(changes, resource, member, value, json_object_get(is, member));
    json_object_foreach(is, member, value)
        if (!json_object_get(was, member))
            change(changes, resource, member, NULL, value);
}

static int64_t destructive_count(const json_t *effects)
{
    const json_t *effect;
    int64_t sum = 0;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)effects, i, effect)
        if (json_get_bool(effect, "destructive", false))
            sum += json_get_int(effect, "count", 0);
    return sum;
}

/* By more than a tenth. */
static bool grew(int64_t before, int64_t after)
{
    return after > before + before / 10;
}

/* What is shown of the difference. */
static json_t *all_changes(json_t *was, json_t *is, int64_t before, int64_t after)
{
    json_t *changes = json_array();
    const char *resource;
    json_t *value;
    json_t *old = json_object_get(was, "identities");
    json_t *new = json_object_get(is, "identities");

    json_object_foreach(old, resource, value)
        changes_of(changes, resource, value, json_object_get(new, resource));
    json_object_foreach(new, resource, value)
        if (!json_object_get(old, resource))
            change(changes, resource, "", NULL, value);
    if (!json_equal(json_object_get(was, "actions"), json_object_get(is, "actions")))
        change(changes, "", "actions", json_object_get(was, "actions"), json_object_get(is, "actions"));
    if (grew(before, after))
        json_array_append_new(changes,
                              json_pack("{s:s,s:s,s:I,s:I}", "resource", "", "member", "destructive_count",
                                        "was", (json_int_t)before, "is", (json_int_t)after));
    return changes;
}

/* A job's error has no list of changes: so its text names the first. */
static int stale(const json_t *changes, struct err *err)
{
    const json_t *first = json_array_get(changes, 0);
    const char *resource = json_get_text(first, "resource"), *member = json_get_text(first, "member");

    return err_set(err, ERR_PLAN_STALE, "%zu things differ from the plan; the first: %s %s",
                   json_array_size(changes), resource ? resource : "", member ? member : "");
}

int plan_compare(const struct plan_row *row, const struct planning *now, struct arena *arena,
                 struct bytes *ret_changes, struct err *err)
{
    static const struct json_limits limits = {.max_depth = DOCUMENT_DEPTH};
    json_auto_t *was = NULL;
    json_auto_t *is = NULL;
    json_auto_t *body = NULL;
    json_auto_t *changes = NULL;
    char *text = planning_canonical(now, arena);
    int64_t before, after;

    if (!text)
        return err_set(err, ERR_NO_MEMORY, "no memory for a plan");
    if (json_parse(row->identities, &limits, &was, err) < 0 ||
        json_parse(bytes_of(text), &limits, &is, err) < 0 || json_parse(row->body, &limits, &body, err) < 0)
        return -1;
    before = destructive_count(json_object_get(body, "effects"));
    after = destructive_count(now->effects);
    if (json_equal(was, is) && !grew(before, after))
        return 0;
    changes = all_changes(was, is, before, after);
    *ret_changes = bytes_of(json_canonical(arena, changes));
    return stale(changes, err);
}
