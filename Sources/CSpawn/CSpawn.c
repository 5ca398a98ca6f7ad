#define _GNU_SOURCE
#include "CSpawn.h"

#include <signal.h>
#include <spawn.h>

static int prepare_actions(posix_spawn_file_actions_t *actions, const int *descriptors) {
    for (int number = 0; number < 3; number++) {
        int code = posix_spawn_file_actions_adddup2(actions, descriptors[number], number);
        if (code) return code;
    }
    int code = posix_spawn_file_actions_addclosefrom_np(actions, 3);
    return code ? code : posix_spawn_file_actions_addchdir_np(actions, "/");
}

static int prepare_attributes(posix_spawnattr_t *attributes) {
    sigset_t signals;
    sigemptyset(&signals);
    int code = posix_spawnattr_setsigmask(attributes, &signals);
    sigfillset(&signals);
    if (!code) code = posix_spawnattr_setsigdefault(attributes, &signals);
    if (!code) code = posix_spawnattr_setpgroup(attributes, 0);
    short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    return code ? code : posix_spawnattr_setflags(attributes, flags);
}

int cspawn_start(
    pid_t *process, char *const *arguments, char *const *environment, const int *descriptors) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int code = posix_spawn_file_actions_init(&actions);
    if (code) return code;
    code = posix_spawnattr_init(&attributes);
    if (code) {
        posix_spawn_file_actions_destroy(&actions);
        return code;
    }
    code = prepare_actions(&actions, descriptors);
    if (!code) code = prepare_attributes(&attributes);
    if (!code) code = posix_spawn(process, arguments[0], &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}
