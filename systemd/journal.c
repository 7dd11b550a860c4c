/*
 * journal.c - one event, one journal entry.
 *
 * The fields are put together in one buffer, "NAME=value" each behind the other, with their ends noted: the buffer
 * moves while it grows, so pointers into it are taken last. Names that the journal or we use ourselves cannot be set by
 * a key.
 */
#include "config.h"

#include "systemd/journal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "base/buf.h"

enum { FIELDS_MAX = 32, NAME_BYTES_MAX = 64 };

struct entry {
    struct nb_buf text;
    size_t ends[FIELDS_MAX];
    size_t count;
};

bool sysd_journal_reads_us(void)
{
    const char *stream = getenv("JOURNAL_STREAM"); /* "device:inode" of the pipe */
    unsigned long long device, inode;
    struct stat status;

    return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &status) == 0 &&
           status.st_dev == device && status.st_ino == inode;
}

static int priority(enum nb_log_level level)
{
    static const int priorities[] = {
        [NB_LOG_ERROR] = LOG_ERR,
        [NB_LOG_WARN] = LOG_WARNING,
        [NB_LOG_INFO] = LOG_INFO,
        [NB_LOG_DEBUG] = LOG_DEBUG,
    };

    return priorities[level];
}

/* Appends whatever stands behind the last end as one more field. */
static void end_field(struct entry *entry)
{
    if (entry->count < FIELDS_MAX && !entry->text.failed)
        entry->ends[entry->count++] = entry->text.length;
}

static bool is_reserved(const char *name)
{
    static const char *const names[] = { "MESSAGE", "PRIORITY", "EVENT", "ERRNO" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return strncmp(name, "SYSLOG_", 7) == 0 || strncmp(name, "CODE_", 5) == 0 || strncmp(name, "MESSAGE_", 8) == 0;
}

/* The journal takes A-Z, 0-9 and _, not first a digit or _. Returns false for a key that makes no such name. */
static bool field_name(const char *key, char name[NAME_BYTES_MAX + 1])
{
    size_t length = strlen(key);

    if (length == 0 || length > NAME_BYTES_MAX || !isalpha((unsigned char)key[0]))
        return false;
    for (size_t i = 0; i <= length; i++)
        name[i] = (char)toupper((unsigned char)key[i]);
    return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == length && !is_reserved(name);
}

static void add_keys(struct entry *entry, const char *fields)
{
    struct nb_buf key = NB_BUF_INIT, value = NB_BUF_INIT;
    char name[NAME_BYTES_MAX + 1];

    while (entry->count < FIELDS_MAX && nb_log_next_field(&fields, &key, &value)) {
        if (!field_name(nb_buf_cstr(&key), name))
            continue;
        nb_buf_printf(&entry->text, "%s=%s", name, nb_buf_cstr(&value));
        end_field(entry);
    }
    nb_buf_done(&value);
    nb_buf_done(&key);
}

static int send_entry(const struct entry *entry)
{
    struct iovec parts[FIELDS_MAX];
    size_t start = 0;

    for (size_t i = 0; i < entry->count; i++) {
        parts[i] = (struct iovec){ .iov_base = entry->text.data + start, .iov_len = entry->ends[i] - start };
        start = entry->ends[i];
    }
    return sd_journal_sendv(parts, (int)entry->count);
}

static void log_line(const struct nb_log_line *line)
{
    struct entry entry = { .text = NB_BUF_INIT };

    nb_buf_printf(&entry.text, "MESSAGE=%s%s%s", line->event, line->fields[0] == '\0' ? "" : " ", line->fields);
    end_field(&entry);
    nb_buf_printf(&entry.text, "PRIORITY=%d", priority(line->level));
    end_field(&entry);
    nb_buf_printf(&entry.text, "EVENT=%s", line->event);
    end_field(&entry);
    nb_buf_text(&entry.text, "SYSLOG_IDENTIFIER=nostosd");
    end_field(&entry);
    add_keys(&entry, line->fields);
    if (entry.text.failed || access("/run/systemd/journal/socket", F_OK) != 0 || send_entry(&entry) < 0)
        nb_log_to_text(line, 1);
    nb_buf_done(&entry.text);
}

void sysd_log_to_journal(const struct nb_log_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        log_line(&lines[i]);
}
