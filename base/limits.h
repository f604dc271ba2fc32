/* Every limit that someone outside can meet, and those that files share, in one place; the size of a buffer
 * of its own stands in the file. Sizes in bytes, times in milliseconds unless the name says otherwise. */
#pragma once

#define KIB (1024LL)
#define MIB (1024LL * KIB)
#define GIB (1024LL * MIB)

#define FAULTS_MAX 32
#define LOG_LINE_MAX (8 * KIB)
#define METRIC_SETS_MAX 1000 /* sets of label values of a family; the rest is counted as `other` */
#define METRIC_COLLECTORS_MAX 32
#define LOG_KEPT_MAX (64 * KIB) /* lines that wait for others, at most a second */

/* http (REFERENCE.md sections 1.4, 1.5; CONTRACT.md section 3) */
#define HTTP_BODY_MAX (256 * KIB)
#define HTTP_BODY_DEPTH 32
#define HTTP_HEADER_MAX (32 * KIB)
#define HTTP_HEADERS_DEADLINE_MS 10000
#define HTTP_REQUEST_DEADLINE_MS 60000
#define HTTP_IDLE_TIMEOUT_S 30
#define HTTP_WAIT_MAX_S 50
#define HTTP_REPLY_MAX (16 * MIB)
#define HTTP_THREAD_STACK (512 * KIB)
#define HTTP_SEGMENT_MAX 1024
#define HTTP_QUERY_MAX 64
#define HTTP_TARGET_MAX (8 * KIB)
#define HTTP_HEADERS_MAX 100
#define HTTP_POOL                                                                                            \
    (64 * KIB) /* libmicrohttpd's memory of one connection: our own head limit must be met first */
#define HTTP_DISCARD_MAX                                                                                     \
    (64 * KIB) /* a refused request's body that is read to its end, so that the reply arrives */
#define HTTP_LINGER_MS 1000
#define HTTP_GZIP_MIN (1 * KIB)
#define HTTP_REPLY_HEADERS_MAX 24
#define HTTP_REPLY_STALL_MS 60000
#define HTTP_REPLY_STALL_BYTES                                                                               \
    (16 * KIB)                /* a reader that takes less than this in HTTP_REPLY_STALL_MS is cut off */
#define HTTP_PATIENCE_MS 2000 /* for a client's turn when room is short */
#define HTTP_ROOM_A_TICK 256  /* connections closed at once then */
#define HTTP_UNSENT_MAX (128 * KIB)
#define HTTP_HELD_MIN (64 * KIB) /* a smaller reply is not counted */
#define HTTP_HELD_MAX (128 * MIB)
#define HTTP_GIVE_BACK (32 * MIB) /* of them read or cut off, and free memory goes back to the system */
#define HTTP_HELD_FACTOR 2        /* times HTTP_HELD_MAX, and large replies are refused */
#define HTTP_TICK_MS 200
#define HTTP_CERTIFICATES_MAX 16
#define REQUEST_ARENA_MAX (8 * MIB)
#define DENIAL_ROWS_A_MINUTE 120
#define STRANGER_LINES_A_MINUTE 600 /* of the log; the rest is one line */
#define LIST_DEFAULT 50
#define LIST_MAX 500
#define RESULT_ARRAY_MAX 100
#define IDEMPOTENCY_KEY_MAX 255
#define IDEMPOTENCY_KEPT_MS (7LL * 86400 * 1000)

/* fields of bodies, where their table says nothing */
#define FIELD_LENGTH_MAX 1024 /* of texts and uris */
#define FIELD_LIST_MAX 1000
#define FIELD_MAP_MAX 50 /* AWS takes 50 tags */
#define FIELD_MAP_NAME_MAX 128

/* net */
#define ANSWER_HEAD_MAX (64 * KIB) /* of an answer, and a header of a request */

/* auth (RFC 7519, REFERENCE.md section 2.3) */
#define JWT_MAX (8 * KIB)
#define JWKS_MAX (256 * KIB)
#define JWKS_KEYS_MAX 64
#define JWKS_AGE_MIN_MS                                                                                      \
    (5LL * 60 * 1000) /* how long a fetched set is used, whatever its Cache-Control says */
#define JWKS_AGE_MAX_MS (24LL * 3600 * 1000)
#define JWKS_AGE_DEFAULT_MS (3600LL * 1000)
#define JWKS_RETRY_MS 30000 /* between two fetches, whoever asks for one */
#define JWKS_FETCH_MS 10000
#define JWKS_WAIT_MS 5000  /* that a request with an unknown kid waits for a fetch */
#define JWKS_WAITERS_MAX 8 /* of these at once for an issuer; the others are answered 401 */
#define JWT_SKEW_MS 60000
#define HMAC_SECRET_MIN 32
#define RSA_BITS_MIN 2048
#define TOTP_TRIES 5
#define TOTP_LOCK_MS (5 * 60 * 1000)
#define GRANTS_MAX 64
#define TOKEN_CACHE_MAX 1024
#define RSA_BITS_MAX 8192      /* a larger key would make a check cost milliseconds */
#define TOKEN_KEYS_TRIED_MAX 4 /* a token without kid is checked with at most this many keys */
#define CLAIM_TEXT_MAX 512     /* sub, identity and jti end in rows and logs */
#define CLAIM_DEPTH 12
#define MINT_LIFETIME_MAX_MS (15 * 60 * 1000)
#define TICKET_LIFETIME_MS (5 * 60 * 1000)
#define ROLE_TEXT_MAX 256 /* one value of a roles claim; an environment in it */
#define VERIFIER_ARENA_MAX (4 * MIB)

/* audit */
#define AUDIT_FIELD_MAX (64 * KIB) /* of one field of a row; detail is the long one */
#define AUDIT_LINE_MAX (1 * MIB)   /* a row as JSON: every byte may become six */
#define AUDIT_NODES_MAX 64         /* whose rows one saved trail may hold */

/* configuration */
#define CONFIG_MAX (256 * KIB)
#define CONFIG_DEPTH 16
#define CONFIG_ARENA_MAX (64 * MIB)
#define CONFIG_TEXT_MAX 2048
#define CONFIG_LIST_MAX 500 /* entries of one list */
#define CONFIG_ENVIRONMENTS_MAX 64
#define CONFIG_TAGS_MAX 50
#define CONFIG_ISSUERS_MAX 32
#define CONFIG_SECRET_PROBE 256 /* a longer secret is long enough */
#define SECRET_FILE_MAX (64 * KIB)

/* items and recovery points (DESIGN.md sections 3 and 5) */
#define ITEM_WIRE_MAX (3 * MIB)
#define ITEM_ENTRIES_MAX 262144 /* members of maps and sets; the worst item of 400 KB has about 137,000 */
#define PAGE_ITEMS_MAX 524288   /* a page is 1 MB of items of at least two bytes */
#define ITEM_DEPTH                                                                                           \
    40 /* DynamoDB nests 32 deep; each level is two of JSON's, but types close them: measured in item/ */
#define PAGE_MAX (8 * MIB)
#define DATA_FILE_STORED_MAX (64 * MIB)
#define DATA_FILE_RAW_MAX (1 * GIB) /* what a restore is willing to inflate of one file */
#define GZIP_RATIO_MAX 1100         /* deflate cannot do better than 1032:1 */
#define MANIFEST_MAX (64 * MIB)
#define CAPSULE_MAX (4 * MIB)

/* engine */
#define JOB_ARENA_MAX (32 * MIB)
#define FILE_ARENA_MAX (1 * MIB) /* what is made for one data file and forgotten with it */
#define SPEC_MAX (256 * KIB)
#define DOCUMENT_MAX (1 * MIB)
#define PART_CURSOR_MAX (64 * KIB)
#define PARTS_MAX 100000
#define TOUCH_BLOCKERS_MAX 10 /* jobs that a waiting one is told of */
#define JOB_HISTORY_MAX 20    /* jobs before, for an estimate */
#define CRASHES_MAX 5
#define PLAN_KEPT_MS (24LL * 3600 * 1000)
#define PLAN_BUDGET_MS 20000
#define PLANS_AT_ONCE 4
#define PLANS_OF_ONE 2
#define STEP_ERRORS_FIRST 3
#define STEP_ERRORS_LAST 10
#define DOCUMENT_DEPTH 64 /* of JSON that the store keeps */
#define STARTS_AT_ONCE 64 /* jobs of the queue that are tried in one transaction */
#define VERDICT_ARENA_MAX (8 * MIB)
#define BEAT_ARENA_MAX (4 * MIB)

/* aws */
#define AWS_REPLY_MAX (16 * MIB)
#define AWS_CONTROL_REPLY_MAX (4 * MIB)
#define AWS_CONNECT_TIMEOUT_MS 3000
#define AWS_CALL_TIMEOUT_MS 30000
#define AWS_SKEW_MS (240 * 1000)     /* what AWS's signature check does not forgive, with a margin */
#define AWS_IDENTITY_BUDGET_MS 15000 /* whose credentials an environment's are */
#define REGIONS_BUDGET_MS 30000      /* looking for tables in every other region, all together */
/* A call with all its retries; one whose body is an object of S3. A lease outlasts what it was taken for. */
#define AWS_BUDGET_MS 60000
#define AWS_BODY_BUDGET_MS (15 * 60 * 1000)
#define CREDENTIAL_REPLY_MAX (64 * KIB)

/* store */
#define STORE_GROUP_MAX 256 /* transactions in one commit */
#define STORE_VIEW_MS 100   /* the oldest that a reader's view may be when nothing was committed */
#define STORE_READERS 4
#define STORE_STATEMENTS_ALIKE 8 /* prepared ones of one text that a connection keeps */
#define LIST_WALKS_MAX 256       /* values of the filter that leads a list */
#define LIST_WORK_MAX 20000      /* rows looked at for a page that has something already */
#define STORE_BALLAST (4 * MIB)
#define STORE_BUSY_TIMEOUT_MS 5000
#define STORE_CHECKPOINT_PAGES 1000 /* pages of WAL after which the writer checkpoints what it can */
#define STORE_TRUNCATE_PAGES 16000  /* and after which it asks readers to let it start the WAL anew */
#define STORE_TRUNCATE_WAIT_MS 100

/* jobs */
#define ROOT_FILES_MAX 1000000 /* files that a listing is willing to hold */
#define ROOT_DEPTH 16          /* folders in folders below a root */
#define ROOT_PATH_MAX 1024     /* S3's limit of a key */
#define ROOT_CHUNK (4 * MIB)   /* fetched ahead of whoever reads an object */
#define PLACE_TRIES 1000       /* names tried for a data file when others stand in its way */
#define SEGMENTS_MAX 64        /* of a scan whose spec does not say */
#define SEGMENT_BYTES (64 * MIB)
#define READ_BACK_PARTS_MAX 512

/* handlers */
#define ENVIRONMENT_TABLES_MAX 500 /* tables of an environment that one answer tells of */
#define ENVIRONMENT_LOOKS_AT_ONCE 4
#define ENVIRONMENT_LOOK_BUDGET_MS 10000
#define FILE_READS_AT_ONCE 8 /* of recovery points */
#define FILE_READ_BUDGET_MS 55000
#define TREE_ARENA_MAX (4 * MANIFEST_MAX)
#define AUDIT_PAGE_BYTES (8 * MIB) /* a page ends here, whatever its limit: details can be long */
#define LIVE_RATE_MAX 1000000      /* units a second that PUT limits takes */

/* server */
#define OPS_CONNECTIONS 32
#define PEM_MAX (256 * KIB)
#define ONLINE_ARENA_MAX (64 * MIB) /* of an environment that --check --online tries */
