#pragma once

#include <sys/types.h>

/// Starts `argv[0]` in a process group of its own and in `/`, with the three descriptors and no others, and with no signal
/// blocked or ignored. The child's number, or -1.
///
/// In C, since Swift does not see what glibc has beyond POSIX.
pid_t cloakroom_spawn(char *const argv[], char *const environment[], int input, int output, int errors);
