/*
 * How a mapping of the configuration is read: one table of keys (name, type, where it goes, check) for each
 * mapping, and one loop over it. Shared by the config_*.c files only.
 */
#pragma once
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/config.h"
#include "base/yaml.h"

struct loader {
    struct arena *arena; /* the snapshot's */
    struct faults *faults;
    const char *file; /* as given: what places begin with */
    const char *dir;  /* absolute: what relative paths are relative to */
    struct config *config;
    const struct yaml_node *environments; /* the mapping, or NULL: grants name its keys */
};

enum config_type {
    CONFIG_END,
    CONFIG_TEXT,     /* const char * */
    CONFIG_CHOICE,   /* an enum whose values count the words of `choices` */
    CONFIG_FLAG,     /* bool */
    CONFIG_INT,      /* int */
    CONFIG_INT64,    /* int64_t */
    CONFIG_DURATION, /* int64_t, milliseconds */
    CONFIG_SIZE,     /* int64_t, bytes */
    CONFIG_TEXTS,    /* struct name_list of min..max entries, no doubles */
    CONFIG_PATH,     /* const char *, absolute; need not exist */
    CONFIG_FILE,     /* const char *, absolute; a file that can be read */
    CONFIG_SECRET,   /* the same, of at least `min` bytes, and nobody else may read it */
    CONFIG_OBJECT,   /* a mapping whose keys fill the same struct */
    CONFIG_SPECIAL,  /* `take` reads it */
    CONFIG_LATER,    /* of a later version */
};

struct config_key {
    const char *name;
    enum config_type type;
    size_t offset;
    bool required;
    int64_t min, max;
    bool (*valid)(const char *text); /* of a text, or of each of the texts */
    const char *wanted;              /* what `valid` wants, for the message */
    const char *choices;
    const struct config_key *keys;
    void (*take)(struct loader *l, const struct yaml_node *node, void *object);
};

/* Reads every member of `map` into `object` by the table; adds the faults it finds. Texts are the tree's own.
 */
void config_take(struct loader *l, const struct config_key *keys, const struct yaml_node *map, void *object);
__attribute__((format(printf, 3, 4))) void config_fault(struct loader *l, struct yaml_place at,
                                                        const char *format, ...);
void config_no_memory(struct loader *l, struct yaml_place at); /* a fault whose code is NO_MEMORY */
bool config_is(struct loader *l, const struct yaml_node *node,
               enum yaml_type type); /* a fault when it is not */
bool config_text(struct loader *l,
                 const struct yaml_node *node); /* a text with something in it; a fault otherwise */
void *config_array(struct loader *l, const struct yaml_node *node,
                   size_t size); /* room for node->count; NULL: a fault */
/* Where what is missing in a mapping is reported: its key, or itself. */
struct yaml_place config_place(const struct yaml_node *map);

/* config_files.c */
const char *config_resolve(struct loader *l,
                           const char *path); /* absolute; NULL: out of memory, a fault was added */
void config_take_path(struct loader *l, const struct config_key *key, const struct yaml_node *node, void *to);
void config_take_file(struct loader *l, const struct config_key *key, const struct yaml_node *node, void *to);

int config_read(const char *path, struct buffer *out, struct faults *faults); /* the whole file */
/* The folder of the loader's file, absolute; NULL: a fault was added. */
const char *config_folder(struct loader *l);

/* config_values.c: what a text may be */
struct url {
    bool https;
    bool loopback; /* 127/8, ::1 or localhost */
};
bool url_parse(const char *text, struct url *ret_url); /* http or https, host, port?, path?; nothing else */
bool valid_name(const char *text);
bool valid_claim(const char *text); /* a claim's name, or a JSON pointer */
bool valid_public_url(const char *text);
bool valid_cidr(const char *text);
bool valid_account(const char *text);
bool valid_region(const char *text);
bool valid_table_or_glob(const char *text);
bool valid_role_arn(const char *text);
bool valid_external_id(const char *text);
bool valid_kms_key(const char *text);
bool valid_issuer(const char *text);
bool valid_algorithm(const char *text);
bool valid_jwks_url(const char *text); /* https, or http on loopback; a query may follow */
bool valid_root(const char *text);     /* s3://bucket/prefix or file:///path */
/* Without the slashes at its end; in the loader's arena. NULL: out of memory, a fault was added. */
const char *root_trim(struct loader *l, const char *root);
/* False: not one, or out of memory, and then a fault was added. */
bool address_parse(struct loader *l, const char *text, struct address_config *ret_address);

/* config_auth.c, config_environments.c */
void config_take_issuers(struct loader *l, const struct yaml_node *node, void *config);
void config_take_environments(struct loader *l, const struct yaml_node *node, void *config);
