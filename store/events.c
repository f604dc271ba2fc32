#include "store/jobs.h"

#include "store/query.h"

int tx_event(struct tx *tx, int64_t job_key, const char *type, struct bytes json, int64_t now,
             struct err *err)
{
    static const char number[] =
        "UPDATE job SET event_seq = event_seq + 1 WHERE key = ?1 RETURNING event_seq";
    static const char sql[] = "INSERT INTO event (job_key, seq, at, type, body) VALUES (?1, ?2, ?3, ?4, ?5)";
    int64_t seq;
    int found = query_int(tx, number, VALUES(v_int(job_key)), &seq, err);

    if (found < 0)
        return -1;
    if (found == 0)
        return err_set(err, ERR_NOT_FOUND, "no such job");
    return query_run(
        tx, sql,
        VALUES(v_int(job_key), v_int(seq), v_int(now), v_text(type), v_bytes(json.data ? json : BYTES("{}"))),
        err);
}
