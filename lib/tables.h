/* tables.h - the areas of the library, each with a table of natives (table.h), in order of registration. */
#ifndef LIB_TABLES_H
#define LIB_TABLES_H

#define LIB_AREAS(area) \
    area(core) area(number) area(string) area(string_list) area(list) area(list_order) area(map) area(array) \
    area(buffer) area(json) area(reflection) area(request_type) area(random) area(process) area(link) \
    area(reactive) area(time) area(env) area(encoding) area(html) area(regex) area(crypto) area(path) area(file) \
    area(open_file) area(exec) area(http) area(tcp)

#define LIB_DECLARE(area) void lib_register_##area(void);
LIB_AREAS(LIB_DECLARE)
#undef LIB_DECLARE

#endif
