/*
 * test_jobs.c - children, each in a process group of its own, watched by one poll().
 *
 * A child has two descriptors: its output, and one that tells of its end (so that what it started, and left running
 * with the same output, keeps nobody waiting). When it has ended what is left in the pipe is read, and its group
 * killed.
 */
#include "config.h"

#include "cli/test_jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"

enum { WORDS_MAX = 32, READ_BYTES = 65536 };
#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_MS 1000000

extern char **environ;

struct job {
    size_t index; /* of its test */
    pid_t pid;    /* 0: free */
    int end_fd, output_fd;
    uint64_t deadline_ns;
    struct test_run run;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

/* ---- starting ---- */

/* The command line of a test, into words[WORDS_MAX]; `flags` is cut into pieces. */
static void command_line(const struct test *test, const struct test_options *options, char *flags, char **words)
{
    size_t count = 0;
    char *rest = NULL;

    words[count++] = (char *)"nostos";
    if (options->no_typed_code)
        words[count++] = (char *)"--no-typed-code";
    if (flags != NULL)
        for (char *word = strtok_r(flags, " ", &rest); word != NULL && count < WORDS_MAX - 5;
             word = strtok_r(NULL, " ", &rest))
            words[count++] = word;
    if (test->function != NULL) {
        words[count++] = (char *)"--entry";
        words[count++] = test->function;
    }
    words[count++] = test->target;
    words[count] = NULL;
}

/* 0 with *ret_pid, or a positive errno. */
static int spawn_child(const struct test *test, const struct test_options *options, int output, pid_t *ret_pid)
{
    char *flags = test->flags != NULL ? nb_xstrdup(test->flags) : NULL, *words[WORDS_MAX];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int r;

    command_line(test, options, flags, words);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    r = posix_spawn(ret_pid, "/proc/self/exe", &actions, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    nb_free(flags);
    return r;
}

static int start_child(struct job *job, const struct test *test, const struct test_options *options)
{
    int ends[2], r;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return errno;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    r = spawn_child(test, options, ends[1], &job->pid);
    close(ends[1]);
    if (r != 0) {
        close(ends[0]);
        return r;
    }
    job->output_fd = ends[0];
    job->end_fd = pidfd_open(job->pid, 0);
    if (job->end_fd >= 0)
        return 0;
    r = errno;
    close(job->output_fd);
    kill(-job->pid, SIGKILL);
    waitpid(job->pid, NULL, 0);
    return r;
}

/* False when it could not be started: job->run.error. */
static bool start(struct job *job, size_t index, const struct test *test, const struct test_options *options)
{
    *job = (struct job){ .index = index, .deadline_ns = nb_clock_ns() + options->seconds * NS_PER_SECOND };
    job->run.error = start_child(job, test, options);
    if (job->run.error != 0)
        job->pid = 0;
    return job->run.error == 0;
}

/* ---- watching ---- */

/* Read what there is. */
static void read_output(struct job *job)
{
    struct nb_buf *output = &job->run.output;

    while (job->output_fd >= 0) {
        ssize_t got;

        if (output->length > TEST_OUTPUT_BYTES_MAX || !nb_buf_reserve(output, READ_BYTES)) {
            job->run.too_much_output = true;
            kill(-job->pid, SIGKILL);
            break;
        }
        got = read(job->output_fd, output->data + output->length, READ_BYTES);
        if (got > 0)
            output->length += (size_t)got;
        if (got < 0 && errno == EAGAIN)
            break;
        if (got <= 0) {
            close(job->output_fd);
            job->output_fd = -1;
        }
    }
    if (output->data != NULL)
        output->data[output->length] = '\0';
}

/* Its child has ended. */
static void finish(struct job *job)
{
    siginfo_t info;

    waitid(P_PID, (id_t)job->pid, &info, WEXITED | WNOWAIT);
    kill(-job->pid, SIGKILL); /* the group is still its own: it is not reaped yet */
    waitpid(job->pid, &job->run.status, 0);
    if (!job->run.too_much_output)
        read_output(job);
    if (job->output_fd >= 0)
        close(job->output_fd);
    close(job->end_fd);
    job->pid = 0;
}

static void check_deadline(struct job *job, uint64_t now)
{
    if (job->run.timed_out || now < job->deadline_ns)
        return;
    job->run.timed_out = true;
    kill(-job->pid, SIGKILL);
}

static int next_timeout_ms(const struct job *jobs, unsigned count, uint64_t now)
{
    uint64_t first = UINT64_MAX;

    for (unsigned i = 0; i < count; i++)
        if (jobs[i].pid != 0 && !jobs[i].run.timed_out && jobs[i].deadline_ns < first)
            first = jobs[i].deadline_ns;
    if (first == UINT64_MAX)
        return -1;
    return first <= now ? 0 : (int)((first - now) / NS_PER_MS) + 1;
}

/* Wait until something happens to one of the jobs; `ready` has two entries for each. */
static void watch(struct job *jobs, struct pollfd *ready, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        ready[2 * i] = (struct pollfd){ .fd = jobs[i].pid != 0 ? jobs[i].end_fd : -1, .events = POLLIN };
        ready[2 * i + 1] = (struct pollfd){ .fd = jobs[i].pid != 0 ? jobs[i].output_fd : -1, .events = POLLIN };
    }
    if (poll(ready, 2 * count, next_timeout_ms(jobs, count, nb_clock_ns())) < 0)
        memset(ready, 0, 2 * count * sizeof *ready);
    for (unsigned i = 0; i < count; i++) {
        if (jobs[i].pid == 0)
            continue;
        if (ready[2 * i + 1].revents != 0 && !jobs[i].run.too_much_output)
            read_output(&jobs[i]);
        check_deadline(&jobs[i], nb_clock_ns());
    }
}

/* ---- all of them ---- */

struct crowd {
    struct job *jobs;
    struct pollfd *ready;
    unsigned count, busy;
};

static void kill_all(struct crowd *crowd)
{
    for (unsigned i = 0; i < crowd->count; i++)
        if (crowd->jobs[i].pid != 0) {
            kill(-crowd->jobs[i].pid, SIGKILL);
            finish(&crowd->jobs[i]);
            nb_buf_done(&crowd->jobs[i].run.output);
        }
}

static struct job *free_job(struct crowd *crowd)
{
    for (unsigned i = 0; i < crowd->count; i++)
        if (crowd->jobs[i].pid == 0)
            return &crowd->jobs[i];
    return NULL;
}

bool test_run_all(const struct test *tests, size_t count, const struct test_options *options,
                  void (*ended)(void *context, size_t index, const struct test_run *run), void *context)
{
    struct crowd crowd = { .count = options->jobs };
    struct sigaction action = { .sa_handler = on_signal };
    size_t next = 0;

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    crowd.jobs = nb_xalloc_zero(crowd.count * sizeof *crowd.jobs);
    crowd.ready = nb_xalloc_zero(2 * crowd.count * sizeof *crowd.ready);
    while (!interrupted && (next < count || crowd.busy > 0)) {
        struct job *job = next < count ? free_job(&crowd) : NULL;

        if (job != NULL) {
            if (tests[next].want != TEST_BROKEN && start(job, next, &tests[next], options))
                crowd.busy++;
            else
                ended(context, next, &job->run);
            next++;
            continue;
        }
        watch(crowd.jobs, crowd.ready, crowd.count);
        for (unsigned i = 0; i < crowd.count; i++)
            if (crowd.jobs[i].pid != 0 && crowd.ready[2 * i].revents != 0) {
                finish(&crowd.jobs[i]);
                ended(context, crowd.jobs[i].index, &crowd.jobs[i].run);
                nb_buf_done(&crowd.jobs[i].run.output);
                crowd.busy--;
            }
    }
    kill_all(&crowd);
    nb_free(crowd.jobs);
    nb_free(crowd.ready);
    return !interrupted;
}
