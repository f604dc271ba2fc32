/* Files that the binary carries. Constant for the life of the process. */
#pragma once
#include "base/str.h"

struct bytes embedded_openapi(void);
