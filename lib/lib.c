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
    lib_register_core();
    lib_register_number();
    lib_register_string();
    lib_register_list();
    lib_register_list_order();
    lib_register_map();
    lib_register_array();
    lib_register_buffer();
    lib_register_json();
    lib_register_reflection();
    lib_register_request_type();
    lib_register_random();
    lib_register_process();
    lib_register_link();
    lib_register_reactive();
    lib_register_time();
    lib_register_env();
    lib_register_encoding();
    lib_register_html();
    lib_register_regex();
    lib_register_crypto();
    lib_register_path();
    lib_register_file();
    lib_register_open_file();
    lib_register_exec();
    lib_register_http();
    lib_register_tcp();
}

void lib_register(void)
{
    lib_env_started();
    register_natives();
    lib_register_records();
    for (const struct lib_source *source = lib_sources; source->module != NULL; source++)
        ns_library_add(source->module, source->text, source->length, is_prelude(source->module));
}
