#include "server/issuers.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "handlers/app.h"

void issuers_look(struct app *app, struct issuers_said *said)
{
    struct verifier *verifier = app_verifier_hold(app);
    struct issuer_state state;

    for (size_t i = 0; i < COUNT_OF(said->codes) && verifier_issuer(verifier, i, &state); i++) {
        if (state.err.code == said->codes[i])
            continue;
        said->codes[i] = state.err.code;
        if (state.err.code == ERR_NONE)
            log_write(LOG_INFO, "the keys of an issuer are there", "issuer", state.issuer, NULL);
        else
            log_err(LOG_WARN, "the keys of an issuer cannot be fetched", &state.err, "issuer", state.issuer,
                    "last_good_set", state.loaded ? "in force" : "none", NULL);
    }
    verifier_release(verifier);
}
