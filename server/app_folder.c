/*
 * app_folder.c - what lies in apps_dir: which apps there are, and whose files have changed.
 */
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "server/app_private.h"

enum { NAME_MAX_BYTES = 48, FOLDER_DEPTH_MAX = 16 };

/* ---- whose files have changed ---- */

static void add_stamp(uint64_t *stamp, const struct stat *status)
{
    const uint64_t words[] = { (uint64_t)status->st_mtim.tv_sec, (uint64_t)status->st_mtim.tv_nsec,
                               (uint64_t)status->st_size, (uint64_t)status->st_ino };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        *stamp = (*stamp ^ words[i]) * UINT64_C(0x100000001b3) + 1;
}

static bool ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name), ending_length = strlen(ending);

    return length > ending_length && strcmp(name + length - ending_length, ending) == 0;
}

/* One word for all source files of an app: when it differs, something has changed. */
static void stamp_path(const char *path, unsigned depth, uint64_t *stamp)
{
    struct stat status;
    struct dirent *entry;
    DIR *folder;

    if (stat(path, &status) < 0)
        return;
    if (!S_ISDIR(status.st_mode)) {
        add_stamp(stamp, &status);
        return;
    }
    folder = depth < FOLDER_DEPTH_MAX ? opendir(path) : NULL;
    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL) {
        struct nb_buf child = NB_BUF_INIT;

        if (entry->d_name[0] == '.')
            continue;
        nb_buf_printf(&child, "%s/%s", path, entry->d_name);
        if (ends_with(entry->d_name, ".nos") || strchr(entry->d_name, '.') == NULL)
            stamp_path(nb_buf_cstr(&child), depth + 1, stamp);
        nb_buf_done(&child);
    }
    closedir(folder);
}

/* ---- which there are ---- */

static bool is_app_name(const char *name, size_t length)
{
    if (length == 0 || length > NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)name[i]) && name[i] != '_' && name[i] != '-')
            return false;
    }
    return true;
}

static struct srv_app *find_app(struct srv_apps *apps, const char *name)
{
    for (size_t i = 0; i < apps->list.count; i++) {
        if (strcmp(apps->list.items[i]->name, name) == 0)
            return apps->list.items[i];
    }
    return NULL;
}

static struct srv_app *add_app(struct srv_apps *apps, const char *name)
{
    struct srv_app *app = nb_xalloc_zero(sizeof *app);

    app->name = nb_xstrdup(name);
    app->path = nb_xstrdup("");
    pthread_mutex_lock(&apps->lock);
    nb_vec_push(&apps->list, app);
    pthread_mutex_unlock(&apps->lock);
    return app;
}

static void report_twice(const struct srv_app *app, const char *path)
{
    struct nb_buf ignored = NB_BUF_INIT, taken = NB_BUF_INIT;

    nb_log_quote(&ignored, path);
    nb_log_quote(&taken, app->path);
    nb_log_warn("app.twice", "app=%s path=%s ignored_for=%s", app->name, nb_buf_cstr(&ignored), nb_buf_cstr(&taken));
    nb_buf_done(&ignored);
    nb_buf_done(&taken);
}

/* What cannot be looked at is not gone: an app that is known goes on as it is. */
static void keep_unreadable(struct srv_apps *apps, const char *name, const char *path, int error)
{
    struct srv_app *app = find_app(apps, name);
    struct nb_buf quoted = NB_BUF_INIT;

    if (!is_app_name(name, strlen(name)))
        return;
    nb_log_quote(&quoted, path);
    nb_log_warn("app.unreadable", "app=%s path=%s error=\"%s\"", name, nb_buf_cstr(&quoted), strerror(error));
    nb_buf_done(&quoted);
    if (app != NULL && strcmp(app->path, path) == 0)
        app->seen = app->unreadable = true;
}

static void report_bad_name(const char *path)
{
    struct nb_buf quoted = NB_BUF_INIT;

    nb_log_quote(&quoted, path);
    nb_log_warn("app.bad_name", "path=%s expected=\"letters, digits, _ and -, at most %d\"", nb_buf_cstr(&quoted),
                NAME_MAX_BYTES);
    nb_buf_done(&quoted);
}

/* A file or folder of apps_dir that is an app: note it as one that is there. */
static void see_app(struct srv_apps *apps, const char *name, const char *path, bool is_folder)
{
    struct srv_app *app = find_app(apps, name);

    if (app != NULL && app->seen) {
        report_twice(app, path);
        return;
    }
    if (app == NULL)
        app = add_app(apps, name);
    app->seen = true;
    app->is_folder = is_folder;
    if (strcmp(app->path, path) == 0)
        return;
    pthread_mutex_lock(&apps->lock);
    nb_free(app->path);
    app->path = nb_xstrdup(path);
    pthread_mutex_unlock(&apps->lock);
    app->stamp = 0;
}

static void see_entry(struct srv_apps *apps, const char *entry)
{
    struct nb_buf path = NB_BUF_INIT;
    struct stat status;
    char *name = nb_xstrdup(entry);
    bool is_file = ends_with(entry, ".nos");

    nb_buf_printf(&path, "%s/%s", apps->folder, entry);
    if (is_file)
        name[strlen(name) - strlen(".nos")] = '\0';
    if (entry[0] == '.')
        ; /* hidden */
    else if (stat(nb_buf_cstr(&path), &status) < 0) {
        if (errno != ENOENT) /* gone again, or a link to nowhere */
            keep_unreadable(apps, name, nb_buf_cstr(&path), errno);
    } else if (is_file != S_ISREG(status.st_mode) || (!is_file && !S_ISDIR(status.st_mode)))
        ; /* some other file: none of ours */
    else if (!is_app_name(name, strlen(name)))
        report_bad_name(nb_buf_cstr(&path));
    else
        see_app(apps, name, nb_buf_cstr(&path), !is_file);
    nb_buf_done(&path);
    nb_free(name);
}

static void report_unreadable_folder(const struct srv_apps *apps, int error)
{
    struct nb_buf quoted = NB_BUF_INIT;

    nb_log_quote(&quoted, apps->folder);
    nb_log_error("apps.unreadable", "path=%s error=\"%s\" kept_apps=%zu", nb_buf_cstr(&quoted), strerror(error),
                 apps->list.count);
    nb_buf_done(&quoted);
}

/* All entries in order of their names, so that every start is the same. Returns 0 or -errno. */
static int see_folder(struct srv_apps *apps)
{
    struct dirent **entries;
    int count;

    for (size_t i = 0; i < apps->list.count; i++)
        apps->list.items[i]->seen = apps->list.items[i]->unreadable = false;
    count = scandir(apps->folder, &entries, NULL, alphasort);
    if (count < 0) {
        count = -errno;
        report_unreadable_folder(apps, -count);
        return count;
    }
    for (int i = 0; i < count; i++) {
        see_entry(apps, entries[i]->d_name);
        free(entries[i]); /* scandir's */
    }
    free(entries);
    return 0;
}

static bool has_main_file(const struct srv_app *app)
{
    struct nb_buf path = NB_BUF_INIT;
    bool has;

    nb_buf_printf(&path, "%s/main.nos", app->path);
    has = access(nb_buf_cstr(&path), F_OK) == 0;
    nb_buf_done(&path);
    return has;
}

/* ---- bringing the apps in line ---- */

/* Load an app whose files have changed; take it off when it is switched off. */
static void update_app(struct srv_apps *apps, size_t index)
{
    struct srv_app *app = apps->list.items[index];
    bool enabled = conf_app_for(apps->conf, app->name)->enabled;
    uint64_t stamp = 1;

    stamp_path(app->path, 0, &stamp);
    if (!enabled) {
        srv_app_leave(apps, app);
        srv_app_set_state(apps, app, SRV_APP_OFF, NULL);
        app->stamp = 0;
        return;
    }
    if (app->unreadable || stamp == app->stamp)
        return;
    app->stamp = stamp;
    app->failures = 0;
    if (app->is_folder && !has_main_file(app)) {
        srv_app_is_broken(apps, app, "the folder has no main.nos", "the folder has no main.nos");
        return;
    }
    if (apps->progress != NULL)
        apps->progress(apps->progress_context, app->name, index, apps->list.count);
    srv_app_load(apps, app);
}

static void remove_app(struct srv_apps *apps, size_t index)
{
    struct srv_app *app = apps->list.items[index];

    nb_log_info("app.removed", "app=%s", app->name);
    srv_app_leave(apps, app);
    pthread_mutex_lock(&apps->lock);
    apps->list.items[index] = nb_vec_last(&apps->list);
    apps->list.count--;
    pthread_mutex_unlock(&apps->lock);
    srv_app_free(app);
}

static void take_conf(struct srv_apps *apps, struct conf *conf)
{
    pthread_mutex_lock(&apps->lock);
    conf_unref(apps->conf);
    apps->conf = conf_ref(conf);
    pthread_mutex_unlock(&apps->lock);
}

static void remove_unseen(struct srv_apps *apps)
{
    for (size_t i = apps->list.count; i-- > 0;) {
        if (!apps->list.items[i]->seen)
            remove_app(apps, i);
    }
}

static bool is_any_live(const struct srv_apps *apps)
{
    for (size_t i = 0; i < apps->list.count; i++) {
        if (apps->list.items[i]->live != NULL)
            return true;
    }
    return apps->leaving != NULL;
}

int srv_apps_scan(struct srv_apps *apps, struct conf *conf)
{
    bool at_once = !is_any_live(apps); /* nobody leaves a port that somebody else might want */
    int r;

    if (conf != NULL)
        take_conf(apps, conf);
    r = see_folder(apps);
    pthread_mutex_lock(&apps->lock);
    apps->folder_error = -r;
    pthread_mutex_unlock(&apps->lock);
    if (r < 0)
        return r;
    remove_unseen(apps);
    for (size_t i = 0; i < apps->list.count; i++) {
        update_app(apps, i);
        if (at_once)
            srv_app_run(apps, apps->list.items[i]);
    }
    for (size_t i = 0; i < apps->list.count; i++)
        srv_app_run(apps, apps->list.items[i]);
    return 0;
}
