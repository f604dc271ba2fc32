#include "store/list.h"

#include "base/limits.h"

struct walk {
    struct query query;
    int64_t key; /* of its present row; 0: at its end */
};

struct walks {
    struct walk *list;
    size_t count;
    int64_t low, high; /* exclusive bounds of the key */
};

static void walks_done(struct walks *walks)
{
    for (size_t i = 0; i < walks->count; i++)
        query_done(&walks->list[i].query);
}

static bool in_use(const struct list_axis *axis)
{
    return axis->id ? !id_is_zero(axis->id) : axis->filter->count > 0;
}

static const struct list_axis *leader(const struct list *list)
{
    for (size_t i = 0; i < list->axis_count; i++)
        if (in_use(&list->axes[i]))
            return &list->axes[i];
    return NULL;
}

/* Bounds of the key from the keyset and from times. A time only narrows: rows are looked at all the same,
 * since the wall clock may have gone back. Where the keyset already lies inside, the bound is not worth
 * asking for. */
static int find_bounds(struct tx *tx, const struct list *list, struct walks *walks, struct err *err)
{
    int64_t first, last;
    int found = 1;

    walks->low = list->ascending ? list->page->before_key : 0;
    walks->high = !list->ascending && list->page->before_key > 0 ? list->page->before_key : INT64_MAX;
    if (list->page->since > 0 &&
        (found = query_int(tx, list->since, VALUES(v_int(list->page->since)), &first, err)) < 0)
        return -1;
    if (list->page->since > 0 && (found == 0 || first == 0))
        walks->high = 0;
    else if (list->page->since > 0 && first - 1 > walks->low)
        walks->low = first - 1;
    if (list->page->until == 0 || walks->high != INT64_MAX)
        return 0;
    if ((found = query_int(tx, list->until, VALUES(v_int(list->page->until)), &last, err)) < 0)
        return -1;
    walks->high = found == 0 ? 0 : last + 1;
    return 0;
}

static int advance(struct walk *walk, struct err *err)
{
    int more = query_next(&walk->query, err);

    if (more < 0)
        return -1;
    walk->key = more ? q_int(&walk->query) : 0;
    return 0;
}

static int add_walk(struct tx *tx, struct walks *walks, const char *sql, struct value value, bool has_value,
                    struct err *err)
{
    struct walk *walk = &walks->list[walks->count];
    struct value values[] = {v_int(walks->low), v_int(walks->high), value};

    if (query_open(&walk->query, tx, sql, values, has_value ? 3 : 2, err) < 0)
        return -1;
    walks->count++;
    return advance(walk, err);
}

static bool repeated(const struct filter *filter, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (str_is(filter->values[i], filter->values[at]))
            return true;
    return false;
}

static int open_walks(struct tx *tx, const struct list *list, struct arena *arena, struct walks *walks,
                      struct err *err)
{
    const struct list_axis *axis = leader(list);
    size_t count = axis && !axis->id ? axis->filter->count : 1;

    if (count > LIST_WALKS_MAX)
        return err_set(err, ERR_LIMIT_EXCEEDED, "a filter has %zu values, the limit is %d", count,
                       LIST_WALKS_MAX);
    walks->list = arena_array(arena, struct walk, count);
    if (!walks->list)
        return no_memory(err);
    if (!axis)
        return add_walk(tx, walks, list->all, (struct value){0}, false, err);
    if (axis->id)
        return add_walk(tx, walks, axis->sql, v_id(axis->id), true, err);
    for (size_t i = 0; i < count; i++)
        if (!repeated(axis->filter, i) &&
            add_walk(tx, walks, axis->sql, v_text(axis->filter->values[i]), true, err) < 0)
            return -1;
    return 0;
}

static struct walk *next_walk(const struct walks *walks, bool ascending)
{
    struct walk *best = NULL;

    for (size_t i = 0; i < walks->count; i++) {
        struct walk *walk = &walks->list[i];

        if (walk->key != 0 && (!best || (ascending ? walk->key < best->key : walk->key > best->key)))
            best = walk;
    }
    return best;
}

static struct bytes column(const struct walk *walk, int at)
{
    struct query at_column = walk->query;

    at_column.column = at;
    return q_borrow(&at_column);
}

static bool matches(const struct list *list, const struct walk *walk)
{
    struct query at_time = walk->query;
    int64_t time;

    at_time.column = 1;
    time = q_int(&at_time);
    if (time < list->page->since || (list->page->until > 0 && time >= list->page->until))
        return false;
    for (size_t i = 0; i < list->axis_count; i++) {
        const struct list_axis *axis = &list->axes[i];
        bool found = axis->column == 0 || !in_use(axis);
        struct bytes bytes = found ? (struct bytes){0} : column(walk, axis->column);

        for (size_t v = 0; !found && bytes.data && v < axis->filter->count; v++)
            found = bytes_is(bytes, axis->filter->values[v]);
        if (!found)
            return false;
    }
    return true;
}

const struct filter *list_visible(const struct list_page *page)
{
    static const struct filter all = {0};

    return page->visible_all ? &all : &page->visible;
}

static bool sees_something(const struct list_page *page)
{
    return page->visible_all || page->visible.count > 0;
}

int list_keys(struct tx *tx, const struct list *list, struct arena *arena, int64_t **ret_keys,
              size_t *ret_count, bool *ret_more, struct err *err)
{
    size_t asked = list->page->limit, limit = asked == 0 ? LIST_DEFAULT : asked > LIST_MAX ? LIST_MAX : asked;
    _cleanup_(walks_done) struct walks walks = {0};
    int64_t *keys = arena_array(arena, int64_t, limit);
    size_t count = 0, looked_at = 0;
    struct walk *walk;
    bool more = false;

    if (!keys)
        return no_memory(err);
    if (sees_something(list->page) &&
        (find_bounds(tx, list, &walks, err) < 0 || open_walks(tx, list, arena, &walks, err) < 0))
        return -1;
    while (!more && (walk = next_walk(&walks, list->ascending))) {
        bool match = matches(list, walk);

        /* a page may end early, but not empty: its last row is where the next one begins */
        more = (match && count == limit) || (count > 0 && ++looked_at > LIST_WORK_MAX);
        if (match && !more)
            keys[count++] = walk->key;
        if (advance(walk, err) < 0)
            return -1;
    }
    *ret_keys = keys;
    *ret_count = count;
    *ret_more = more;
    return 0;
}
