/* audit verify: the chain, of a file or of the server's whole trail. */
#include <errno.h>

#include "audit/trail.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/limits.h"
#include "ctl/api.h"
#include "ctl/commands.h"
#include "ctl/files.h"
#include "ctl/output.h"

#define TRAIL_MAX (512 * MIB)

/* -- the server's -- */

static bool add_rows(struct buffer *out, const json_t *items)
{
    size_t i;
    json_t *row;

    json_array_foreach((json_t *)(uintptr_t)items, i, row) {
        char *text = json_dumps(row, JSON_COMPACT);

        if (!text)
            return false;
        buffer_add_str(out, text);
        buffer_add_char(out, '\n');
        free(text);
    }
    return !out->failed;
}

static enum exit_code fetch_trail(struct ctl *ctl, struct buffer *out)
{
    char *cursor = NULL;
    bool more = true;
    enum exit_code code = api_open(ctl);

    while (more && code == EXIT_DONE) {
        _cleanup_(api_reply_done) struct api_reply reply = API_REPLY_INIT;
        const char *next;

        code =
            api_get(ctl, &reply, "/v1/audit?limit=500%s%s", cursor ? "&cursor=" : "", cursor ? cursor : "");
        if (code != EXIT_DONE)
            return code;
        if (!json_is_array(json_object_get(reply.json, "items")))
            return ctl_fail(ctl, EXIT_UNREACHABLE, "%s answered without rows: is it a recoverd?",
                            ctl->settings.server);
        if (!add_rows(out, json_object_get(reply.json, "items")))
            return ctl_fail(
                ctl, EXIT_USAGE,
                "the trail is too large to be verified at once: save it by parts (recoverctl audit "
                "--ndjson --since T --until T), and verify each");
        next = json_get_text(reply.json, "next_cursor");
        more = next != NULL;
        cursor = more ? (char *)(uintptr_t)api_escaped(ctl->arena, next, "") : NULL;
    }
    return code;
}

/* -- the verdict -- */

static json_t *node_json(const struct audit_node_report *node)
{
    char head[HEX_SIZE(AUDIT_HASH_SIZE)];

    hex_encode(node->head, AUDIT_HASH_SIZE, head);
    return json_pack("{s:s,s:I,s:I,s:I,s:s}", "node", node->node, "first_seq", (json_int_t)node->first_seq,
                     "last_seq", (json_int_t)node->last_seq, "rows", (json_int_t)node->rows, "head", head);
}

static enum exit_code report_sound(struct ctl *ctl, const struct audit_trail_report *report)
{
    json_auto_t *answer = json_pack("{s:s,s:[]}", "verdict", "sound", "nodes");

    for (size_t i = 0; answer && i < report->node_count; i++) {
        json_array_append_new(json_object_get(answer, "nodes"), node_json(&report->nodes[i]));
        if (report->nodes[i].first_seq > 1)
            ctl_say(ctl, "node %s begins at row %lld: what was before it is not here", report->nodes[i].node,
                    (long long)report->nodes[i].first_seq);
    }
    if (!answer)
        return ctl_no_memory(ctl);
    output_object(ctl, answer, (struct bytes){0}, "verdict");
    if (report->node_count == 0)
        ctl_say(ctl, "there are no rows");
    return EXIT_DONE;
}

static enum exit_code report_broken(struct ctl *ctl, const struct err *err, bool server)
{
    json_auto_t *answer = json_pack("{s:s,s:s,s:s}", "verdict", "broken", "code", err_info(err->code)->name,
                                    "detail", err->message);

    if (err->code != ERR_MISMATCH && err->code != ERR_INVALID_BODY && err->code != ERR_INVALID_JSON)
        return ctl_err(ctl, EXIT_USAGE, err);
    if (answer)
        output_object(ctl, answer, (struct bytes){0}, "verdict");
    ctl_err(ctl, EXIT_FAILED, err);
    if (server)
        ctl_hint(ctl, "with a role smaller than auditor@* the rows of other environments are missing; "
                      "recoverctl me shows yours");
    return EXIT_FAILED;
}

enum exit_code verify_audit(struct ctl *ctl, const struct args *args)
{
    _cleanup_(buffer_done) struct buffer rows = BUFFER_INIT(TRAIL_MAX);
    struct audit_trail_report report;
    struct bytes text = BYTES("");
    struct err err = ERR_INIT;
    bool server = args->word_count == 0;
    enum exit_code code;

    if (!server && file_read(args->words[0], TRAIL_MAX, ctl->arena, &text, &err) < 0)
        return ctl_err(ctl, EXIT_USAGE, &err);
    if (server) {
        code = fetch_trail(ctl, &rows);
        if (code != EXIT_DONE)
            return code;
        text = rows.data ? buffer_bytes(&rows) : text;
    }
    if (audit_trail_verify(text, ctl->arena, &report, &err) < 0)
        return report_broken(ctl, &err, server);
    return report_sound(ctl, &report);
}
