/*
 * http.h - the HTTP client's record.
 */
#ifndef LIB_HTTP_H
#define LIB_HTTP_H

/** Register the record type HttpResponse. Once, at start. */
void lib_http_register_record(void);

#endif
