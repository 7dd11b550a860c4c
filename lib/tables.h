/* tables.h - the areas of the library, each with a table of natives (table.h). In order of registration. */
#ifndef LIB_TABLES_H
#define LIB_TABLES_H

void lib_register_core(void);
void lib_register_number(void);
void lib_register_string(void);
void lib_register_list(void);
void lib_register_list_order(void);
void lib_register_map(void);
void lib_register_array(void);
void lib_register_buffer(void);
void lib_register_json(void);
void lib_register_reflection(void);
void lib_register_request_type(void);
void lib_register_random(void);
void lib_register_process(void);
void lib_register_link(void);
void lib_register_reactive(void);
void lib_register_time(void);
void lib_register_env(void);
void lib_register_encoding(void);
void lib_register_html(void);
void lib_register_regex(void);
void lib_register_crypto(void);
void lib_register_path(void);
void lib_register_file(void);
void lib_register_open_file(void);
void lib_register_exec(void);
void lib_register_http(void);
void lib_register_tcp(void);

#endif
