/* validate.backup: is what a restore would read whole, and, with `prove`, does it restore to what it says? */
#pragma once
#include "engine/kind.h"

extern const struct job_kind validate_backup;
