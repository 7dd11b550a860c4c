/*
 * explain.c - prints what the table of keys says: the sample file or the manual page. For the build only.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "conf/conf.h"

static int print(const struct nb_buf *text)
{
    if (text->failed || fputs(nb_buf_cstr(text), stdout) == EOF || fflush(stdout) != 0) {
        perror("explain");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct nb_buf text = NB_BUF_INIT;
    int status;

    if (argc == 2 && strcmp(argv[1], "sample") == 0) {
        conf_sample(&text);
    } else if (argc == 2 && strcmp(argv[1], "manual") == 0) {
        conf_manual(&text);
    } else {
        fputs("usage: explain sample|manual\n", stderr);
        return EXIT_FAILURE;
    }
    status = print(&text);
    nb_buf_done(&text);
    return status;
}
