/*
 * new.h - `nostos new NAME`: a folder with a program to begin from.
 */
#ifndef CLI_NEW_H
#define CLI_NEW_H

/**
 * Make the folder `path`, if it is not there, with a nostos.toml and a main.nos that greets and has a test. Its name is
 * the project's. Files that are there are never written over: with a nostos.toml nothing is done, a main.nos is kept.
 *
 * Returns the exit status; an error was printed.
 */
int new_main(const char *path);

#endif
