#include "audit/actions.h"

#include "base/cleanup.h"
#include "base/str.h"

static const struct audit_action_info actions[AUDIT_ACTION_COUNT] = {
#define ROW(name, word, outcomes, meaning) [AUDIT_##name] = {word, outcomes, meaning},
    AUDIT_ACTIONS(ROW)
#undef ROW
};

const struct audit_action_info *audit_action_info(enum audit_action action)
{
    return (size_t)action < COUNT_OF(actions) ? &actions[action] : NULL;
}

bool audit_action_by_word(const char *word, enum audit_action *ret_action)
{
    for (size_t i = 0; word && i < COUNT_OF(actions); i++) {
        if (strcmp(actions[i].word, word) == 0) {
            *ret_action = (enum audit_action)i;
            return true;
        }
    }
    return false;
}

bool audit_outcome_fits(const char *word, const char *outcome)
{
    enum audit_action action;

    return outcome && audit_action_by_word(word, &action) && str_listed(actions[action].outcomes, outcome);
}
