#include "store/store.h"

#include "store/driver.h"

/* Every backend that this program can open. */
static const struct store_ops *const backends[] = {&store_sqlite};

int store_open(const struct store_options *options, struct store **ret_store, struct err *err)
{
    for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
        if (str_starts(options->url, backends[i]->scheme))
            return backends[i]->open(options, ret_store, err);
    return err_set(err, ERR_CONFIG, "the store's url does not begin with sqlite:");
}

void store_close(struct store *store)
{
    if (store)
        store->ops->close(store);
}

int store_tx(struct store *store, const char *name, store_fn *fn, void *ctx, struct err *err)
{
    return store->ops->tx(store, name, fn, ctx, err);
}

int store_read(struct store *store, store_fn *fn, void *ctx, struct err *err)
{
    return store->ops->read(store, false, fn, ctx, err);
}

int store_read_ops(struct store *store, store_fn *fn, void *ctx, struct err *err)
{
    return store->ops->read(store, true, fn, ctx, err);
}

int store_accepting(struct store *store, struct err *err)
{
    return store->ops->accepting(store, err);
}

int64_t store_free_bytes(struct store *store)
{
    return store->ops->free_bytes(store);
}
