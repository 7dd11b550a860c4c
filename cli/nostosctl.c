/*
 * nostosctl.c - talks to a running nostosd over its control socket.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "conf/conf.h"
#include "server/control.h"

enum { EXIT_USAGE = 2, EXIT_NO_DAEMON = 3 };

static const char help[] =
    "nostosctl: look at and steer a running nostosd\n"
    "\n"
    "Usage: nostosctl [options] COMMAND\n"
    "  status               how the daemon fares: apps, requests, connections, scheduler\n"
    "  apps                 a line per app: state, version, ports, restarts; what is wrong with broken ones\n"
    "  processes [APP]      a line per process\n"
    "  reload               read configuration and apps again; waits until it is done\n"
    "  stop                 let running requests finish, then end\n"
    "Options:\n"
    "  -s, --socket PATH    the daemon's control socket (default: the configured one)\n"
    "  -V, --version        the version\n"
    "  -h, --help           this text\n";

static const struct {
    const char *name;
    int arguments_max;
} commands[] = { { "status", 0 }, { "apps", 0 }, { "processes", 1 }, { "reload", 0 }, { "stop", 0 } };

/* Whether the arguments are a command with what it takes; says what is wrong if they are not. An argument too many is
 * an error, as whoever says "stop shop" does not mean the daemon. */
static bool is_command(int count, char **arguments)
{
    if (count == 0) {
        fputs(help, stderr);
        return false;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, arguments[0]) != 0)
            continue;
        if (count - 1 <= commands[i].arguments_max)
            return true;
        fprintf(stderr, "nostosctl: %s: unexpected argument: %s\nTry nostosctl --help.\n", arguments[0],
                arguments[1 + commands[i].arguments_max]);
        return false;
    }
    fprintf(stderr, "nostosctl: unknown command: %s\nTry nostosctl --help.\n", arguments[0]);
    return false;
}

/* The socket that the system's configuration names. Its caller ends soon: the text is not given back. */
static const char *configured_socket(void)
{
    struct conf_errors errors = CONF_ERRORS_INIT;
    struct conf *conf;

    if (conf_load(NB_SYSCONFDIR "/nostosd.conf", &conf, &errors) < 0 && conf_load(NULL, &conf, &errors) < 0)
        return "/run/nostosd/control";
    conf_errors_done(&errors);
    return conf->global.control_socket;
}

static int ask(const char *socket_path, const char *command)
{
    struct nb_buf answer = NB_BUF_INIT;
    int r = srv_control_ask(socket_path, command, &answer);
    bool refused;

    if (r < 0) {
        fprintf(stderr, "nostosctl: no nostosd answers on %s: %s\n", socket_path, strerror(-r));
        nb_buf_done(&answer);
        return EXIT_NO_DAEMON;
    }
    refused = strncmp(nb_buf_cstr(&answer), "error:", strlen("error:")) == 0;
    fputs(nb_buf_cstr(&answer), refused ? stderr : stdout);
    nb_buf_done(&answer);
    return refused ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "socket", required_argument, NULL, 's' },
        { "version", no_argument, NULL, 'V' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    const char *socket_path = NULL;
    struct nb_buf command = NB_BUF_INIT;
    int option, code;

    while ((option = getopt_long(argc, argv, "s:Vh", options, NULL)) != -1) {
        if (option == 's') {
            socket_path = optarg;
        } else if (option == 'V') {
            puts("nostosctl " PACKAGE_VERSION);
            return EXIT_SUCCESS;
        } else {
            fputs(option == 'h' ? help : "Try nostosctl --help.\n", option == 'h' ? stdout : stderr);
            return option == 'h' ? EXIT_SUCCESS : EXIT_USAGE;
        }
    }
    if (!is_command(argc - optind, argv + optind))
        return EXIT_USAGE;
    nb_buf_text(&command, argv[optind]);
    if (optind + 1 < argc)
        nb_buf_printf(&command, " %s", argv[optind + 1]);
    code = ask(socket_path != NULL ? socket_path : configured_socket(), nb_buf_cstr(&command));
    nb_buf_done(&command);
    return code;
}
