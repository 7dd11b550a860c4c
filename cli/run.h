/*
 * run.h - the run of one program by `nostos`: from main's first instruction to the exit status.
 */
#ifndef CLI_RUN_H
#define CLI_RUN_H

struct invocation;
struct vm_program;

/**
 * Run a program until its main ends, or nothing of it can ever go on.
 *
 * invocation  what was asked for: workers, seed, bounds, and whether all memory is given back in the end
 * program     a reference to it becomes the run's
 *
 * Returns the exit status, after printing main's value or what it died of; without `free_all` it does not return but
 * exits by itself. Once in a process: signals and the output are changed for good.
 */
int run_program(const struct invocation *invocation, struct vm_program *program);

#endif
