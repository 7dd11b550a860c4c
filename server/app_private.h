/* app_private.h - what the files about apps share: the list and its members. Manager's thread, unless it says
 * otherwise. */
#ifndef SERVER_APP_PRIVATE_H
#define SERVER_APP_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/vec.h"
#include "server/app.h"
#include "server/version.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)
enum { SRV_SETTLE_MS = 500 }; /* an app that listens on nothing counts as up after this */

struct srv_app {
    char *name, *path;
    bool is_folder;
    bool seen, unreadable; /* in the last scan */
    enum srv_app_state state;
    char *problem; /* diagnostics of a program that cannot be loaded; what ended main */
    uint64_t stamp; /* of its files, when they were last compiled */
    unsigned versions; /* started in all */
    _Atomic unsigned restarts, failures; /* in all; in a row. The manager's; others read them for their reports */
    uint64_t retry_ns; /* when RESTARTING */
    uint64_t load_ns;  /* that loading took */
    struct srv_version *loaded;  /* to be run next */
    struct srv_version *live;
    struct srv_version *formers; /* that serve until the live one does, the youngest first */
};

/** The manager's. What others read of it, and of its members, changes under `lock`. */
struct srv_apps {
    struct sched *sched;
    struct srv_runtime *runtime;
    struct conf *conf;
    char *folder;
    int folder_error; /* errno of the last scan; 0: it was read */
    int event_fd;
    pthread_mutex_t lock;
    NB_VEC(struct srv_app *) list;
    struct srv_version *leaving;  /* versions of apps that are gone, which serve until the reload is over */
    struct srv_version *retiring; /* versions that finish what they have accepted */
    struct srv_version *ending;   /* versions whose processes end */
    void (*progress)(void *context, const char *name, size_t before, size_t count);
    void *progress_context;
};

/* ---- app.c ---- */

void srv_app_free(struct srv_app *app);
/** Have the manager look at its apps. `apps` as context of callbacks. Threads: any. */
void srv_apps_wake(void *apps);

/* ---- app_version.c: which version of an app runs ---- */

/** Change what others read. `problem` is taken over; NULL when there is none. */
void srv_app_set_state(struct srv_apps *apps, struct srv_app *app, enum srv_app_state state, char *problem);
/** An app cannot be started, or its new files cannot be: what runs goes on. `text` for people. */
void srv_app_is_broken(struct srv_apps *apps, struct srv_app *app, const char *first, const char *text);
/** Compile the program as it is now, and let others join on the ports of the version that runs. */
void srv_app_load(struct srv_apps *apps, struct srv_app *app);
/** Run what was loaded, if anything was; the version that ran serves until this one does. */
void srv_app_run(struct srv_apps *apps, struct srv_app *app);
/** Retire the versions whose place the live one has taken. Returns when to look again. */
uint64_t srv_app_look_at_formers(struct srv_apps *apps, struct srv_app *app, uint64_t now_ns);
/** The live version cannot go on, `failure` says why: have the one before it go on, if that still serves as it did.
 *  False when not. Whoever has joined on its ports meanwhile is not told. */
bool srv_app_fall_back(struct srv_apps *apps, struct srv_app *app, const char *failure);
/** End the version that runs. */
void srv_app_end_live(struct srv_apps *apps, struct srv_app *app);
/** The same, and those before it. */
void srv_app_end(struct srv_apps *apps, struct srv_app *app);
/** The app is to run no more: it serves until srv_apps_retire_leaving(). */
void srv_app_leave(struct srv_apps *apps, struct srv_app *app);
void srv_apps_retire_leaving(struct srv_apps *apps);
/** Retire former versions whose ports are all served by others, of whatever app. Only when no app is starting. */
void srv_apps_retire_covered(struct srv_apps *apps);
/** End the retired versions that have finished, or may not go on. Returns when to look again. */
uint64_t srv_apps_look_at_retiring(struct srv_apps *apps, uint64_t now_ns);

#endif
