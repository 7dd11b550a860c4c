/*
 * words.h - lists of names that are written as one text: " first second third ", a space on either side of each.
 */
#ifndef LANG_WORDS_H
#define LANG_WORDS_H

#include <stdbool.h>
#include <string.h>

/** Whether a name, which holds no space, stands in such a list. Threads: any. */
static inline bool ns_words_have(const char *words, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = strstr(words, name); at != NULL; at = strstr(at + 1, name))
        if (at[-1] == ' ' && at[length] == ' ')
            return true;
    return false;
}

#endif
