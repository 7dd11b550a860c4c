/*
 * http_native.h - Server.bind, accept, respond, close, matchPath: the language's door to the HTTP server.
 */
#ifndef SERVER_HTTP_NATIVE_H
#define SERVER_HTTP_NATIVE_H

/** Register the natives of server/http.def and the record type HttpRequest. Once at start, after lib_register(). */
void srv_http_register_natives(void);

#endif
