/*
 * lib.c - registration of the whole library.
 */
#include "config.h"

#include "lib/lib.h"

#include <string.h>

#include "lang/compile.h"
#include "lib/embedded.h"
#include "lib/env.h"
#include "lib/record.h"
#include "lib/tables.h"

/* Modules whose names are visible everywhere. */
static bool is_prelude(const char *module)
{
    return strcmp(module, "stdlib.list") == 0 || strcmp(module, "stdlib.traits") == 0 ||
           strcmp(module, "stdlib.io") == 0 || strcmp(module, "stdlib.reactive") == 0;
}

static void register_natives(void)
{
#define REGISTER(area) lib_register_##area();
    LIB_AREAS(REGISTER)
#undef REGISTER
}

void lib_register(void)
{
    lib_env_started();
    register_natives();
    lib_register_records();
    for (const struct lib_source *source = lib_sources; source->module != NULL; source++)
        ns_library_add(source->module, source->text, source->length, is_prelude(source->module));
}
