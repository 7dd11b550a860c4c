/*
 * stress.h - the build that makes the rare common (configure --enable-stress).
 *
 * Constants that decide how often a rare path runs are written NB_STRESS_OR(tiny, normal), and code that may
 * do a rare thing at any chance asks nb_stress.
 */
#ifndef BASE_STRESS_H
#define BASE_STRESS_H

#ifdef NB_STRESS
#define NB_STRESS_OR(tiny, normal) (tiny)
enum { nb_stress = 1 };
#else
#define NB_STRESS_OR(tiny, normal) (normal)
enum { nb_stress = 0 };
#endif

#endif
