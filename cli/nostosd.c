/*
 * nostosd.c - the daemon's command line: which configuration, and who is told what.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "conf/conf.h"
#include "lib/lib.h"
#include "server/daemon.h"
#include "server/http_native.h"
#include "systemd/fds.h"
#include "systemd/journal.h"
#include "systemd/notify.h"
#include "vm/init.h"

enum { EXIT_USAGE = 2 };

static const char help[] =
    "nostosd: the application server for Nostos\n"
    "\n"
    "Usage: nostosd [options]\n"
    "  -c, --config FILE        read this configuration (default: " NB_SYSCONFDIR "/nostosd.conf if it exists)\n"
    "      --apps-dir DIR       serve the apps of this folder instead of the configured one\n"
    "      --control SOCKET     unix socket for nostosctl; \"\" for none\n"
    "      --check-config       read the configuration, say what is wrong with it, end\n"
    "      --print-sample-config\n"
    "                           a commented configuration with all defaults\n"
    "      --print-config-manual\n"
    "                           the manual page nostosd.conf(5)\n"
    "  -V, --version            the version\n"
    "  -h, --help               this text\n"
    "\n"
    "Apps are NAME.nos and NAME/main.nos in apps_dir. SIGHUP reads configuration and apps again; SIGTERM lets running\n"
    "requests finish, then ends. See nostosd(8), nostosd.conf(5), nostosctl(1).\n";

/* ---- what the daemon tells ---- */

static void apply_log(const struct conf *conf)
{
    nb_log_sink *sink = NULL;

    if (conf->log.format == CONF_LOG_JOURNAL || (conf->log.format == CONF_LOG_AUTO && sysd_journal_reads_us()))
        sink = sysd_log_to_journal;
    else if (conf->log.format == CONF_LOG_JSON)
        sink = nb_log_to_json;
    nb_log_set_sink(sink);
    nb_log_set_level((enum nb_log_level)conf->log.level);
}

static void tell_status(const char *status)
{
    sysd_status("%s", status);
}

static int take_passed_socket(const char *name, uint16_t port)
{
    int fd = name != NULL ? sysd_fds_take_name(name) : -ENOENT;

    return fd >= 0 ? fd : sysd_fds_take_port(port);
}

/* ---- arguments ---- */

struct arguments {
    const char *config;
    bool check;
    struct srv_daemon_options options;
};

enum { OPTION_APPS_DIR = 256, OPTION_CONTROL, OPTION_CHECK, OPTION_SAMPLE, OPTION_MANUAL };

static const struct option long_options[] = {
    { "config", required_argument, NULL, 'c' },
    { "apps-dir", required_argument, NULL, OPTION_APPS_DIR },
    { "control", required_argument, NULL, OPTION_CONTROL },
    { "check-config", no_argument, NULL, OPTION_CHECK },
    { "print-sample-config", no_argument, NULL, OPTION_SAMPLE },
    { "print-config-manual", no_argument, NULL, OPTION_MANUAL },
    { "version", no_argument, NULL, 'V' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static int print_made(void (*make)(struct nb_buf *out))
{
    struct nb_buf text = NB_BUF_INIT;

    make(&text);
    fputs(nb_buf_cstr(&text), stdout);
    nb_buf_done(&text);
    return EXIT_SUCCESS;
}

/* Take the arguments. Returns -1 to go on, or the exit code. */
static int parse(int argc, char **argv, struct arguments *arguments)
{
    int option;

    while ((option = getopt_long(argc, argv, "c:Vh", long_options, NULL)) != -1) {
        switch (option) {
        case 'c':
            arguments->config = optarg;
            break;
        case OPTION_APPS_DIR:
            arguments->options.apps_dir = optarg;
            break;
        case OPTION_CONTROL:
            arguments->options.control_socket = optarg;
            break;
        case OPTION_CHECK:
            arguments->check = true;
            break;
        case OPTION_SAMPLE:
            return print_made(conf_sample);
        case OPTION_MANUAL:
            return print_made(conf_manual);
        case 'V':
            puts(PACKAGE_NAME " " PACKAGE_VERSION);
            return EXIT_SUCCESS;
        case 'h':
            fputs(help, stdout);
            return EXIT_SUCCESS;
        default:
            fputs("Try nostosd --help.\n", stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr,
                "nostosd: unexpected argument: %s\nApps are found in apps_dir; to run one program, use: nostos %s\n",
                argv[optind], argv[optind]);
        return EXIT_USAGE;
    }
    return -1;
}

/* The configuration, or NULL with what is wrong on standard error. */
static struct conf *load(const char *path)
{
    struct conf_errors errors = CONF_ERRORS_INIT;
    struct conf *conf = NULL;

    if (conf_load(path, &conf, &errors) < 0) {
        for (size_t i = 0; i < errors.count; i++)
            fprintf(stderr, "%s\n", errors.items[i]);
        conf = NULL;
    }
    conf_errors_done(&errors);
    return conf;
}

int main(int argc, char **argv)
{
    static const struct srv_daemon_hooks none = {
        .ready = sysd_ready,
        .status = tell_status,
        .reloading = sysd_reloading,
        .stopping = sysd_stopping,
        .extend_timeout = sysd_extend_timeout,
        .watchdog = sysd_watchdog,
        .configured = apply_log,
        .passed_socket = take_passed_socket,
    };
    struct srv_daemon_hooks hooks = none;
    struct arguments arguments = { .options = { .hooks = &hooks } };
    struct conf *conf;
    int code = parse(argc, argv, &arguments);

    if (code >= 0)
        return code;
    if (arguments.config == NULL && access(NB_SYSCONFDIR "/nostosd.conf", F_OK) == 0)
        arguments.config = NB_SYSCONFDIR "/nostosd.conf";
    conf = load(arguments.config);
    if (conf == NULL)
        return EXIT_USAGE;
    if (arguments.check) {
        printf("%s: no errors\n", arguments.config != NULL ? arguments.config : "defaults");
        conf_unref(conf);
        return EXIT_SUCCESS;
    }
    if (sysd_fds_open() < 0)
        fputs("nostosd: the sockets passed by the service manager are not usable\n", stderr);
    hooks.watchdog_interval_ns = sysd_watchdog_interval_ns();
    arguments.options.config_path = arguments.config;
    vm_init();
    lib_register();
    srv_http_register_natives();
    return srv_daemon_run(&arguments.options, conf);
}
