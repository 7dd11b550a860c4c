/*
 * tsan.h - tell the thread sanitizer about hand-offs it cannot see.
 *
 * Concurrency Kit's atomics are assembler. Call nb_tsan_release(key) before a push and nb_tsan_acquire(key)
 * after a take of the same structure; both are nothing in other builds.
 */
#ifndef BASE_TSAN_H
#define BASE_TSAN_H

#if defined(__SANITIZE_THREAD__)
#define NB_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define NB_TSAN 1
#endif
#endif

#ifdef NB_TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define nb_tsan_acquire(key) __tsan_acquire((void *)(key))
#define nb_tsan_release(key) __tsan_release((void *)(key))
#else
#define nb_tsan_acquire(key) ((void)(key))
#define nb_tsan_release(key) ((void)(key))
#endif

/** Order everything before against everything after, loads against earlier stores included. The sanitizer does not know
 *  stand-alone fences; an exchange of a word of its own tells it as much. */
#ifdef NB_TSAN
static inline void nb_full_fence(void)
{
    static int word;

    __atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
}
#else
static inline void nb_full_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
#endif

#endif
