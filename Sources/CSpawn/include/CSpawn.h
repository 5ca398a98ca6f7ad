#ifndef CSPAWN_H
#define CSPAWN_H

#include <sys/types.h>

// Starts a program in a process group of its own, in the root folder, with the three descriptors as its 0, 1 and 2 and no
// other, and with every signal as it is by default. Swift's Glibc does not have the GNU extensions that this takes.
// Returns 0, or an error number.
int cspawn_start(
    pid_t *process, char *const *arguments, char *const *environment, const int *descriptors);

#endif
