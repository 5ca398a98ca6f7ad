// A disk under the broker, by LD_PRELOAD: it loses what was not brought to it.
//
// Of the log alone: the database beside it keeps all that was written to it.
// LOG.durable has what a power cut is sure to leave of a write-ahead log: what was written before an fdatasync that did
// well. While the file that DISK_REFUSES names is there, an fdatasync fails, and what was written before is lost: as
// Linux does, a later one succeeds without it, unless it was written again. DISK_DELAYS are the microseconds that an
// fdatasync takes, so that an answer that does not wait for it comes before it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct { off_t start; size_t count; } written[1 << 14];
static int pieces;

static int is_log(int descriptor, char *path, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t count = readlink(link, path, size - 1);
    if (count < 4) return 0;
    path[count] = 0;
    return strcmp(path + count - 4, "-wal") == 0;
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t start) {
    char path[3000];
    ssize_t done = syscall(SYS_pwrite64, descriptor, bytes, count, start);
    if (done > 0 && is_log(descriptor, path, sizeof path)) {
        pthread_mutex_lock(&lock);
        if (pieces == sizeof written / sizeof *written) abort();
        written[pieces].start = start;
        written[pieces++].count = done;
        pthread_mutex_unlock(&lock);
    }
    return done;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t start) {
    return pwrite64(descriptor, bytes, count, start);
}

int fdatasync(int descriptor) {
    char path[3000], durable[3100];
    if (!is_log(descriptor, path, sizeof path)) return syscall(SYS_fdatasync, descriptor);
    const char *refusing = getenv("DISK_REFUSES"), *delay = getenv("DISK_DELAYS");
    snprintf(durable, sizeof durable, "%s.durable", path);
    pthread_mutex_lock(&lock);
    // What is written from here on is for the next call.
    int count = pieces, refuses = refusing && access(refusing, F_OK) == 0;
    off_t starts[count + 1];
    struct { char *bytes; size_t count; } kept[count + 1];
    for (int index = 0; index < count; index++) {
        starts[index] = written[index].start;
        kept[index].bytes = malloc(written[index].count);
        ssize_t there = pread(descriptor, kept[index].bytes, written[index].count, starts[index]);
        if (there < 0) abort();
        kept[index].count = there;
    }
    pieces = 0;
    pthread_mutex_unlock(&lock);
    if (delay) usleep(atoi(delay)); // a slow disk: nothing waits for this but who waits for the disk
    int target = refuses ? -1 : open(durable, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    for (int index = 0; index < count; index++) {
        if (!refuses && syscall(SYS_pwrite64, target, kept[index].bytes, kept[index].count, starts[index]) < 0) abort();
        free(kept[index].bytes);
    }
    if (refuses) {
        errno = EIO;
        return -1;
    }
    close(target);
    return syscall(SYS_fdatasync, descriptor);
}
