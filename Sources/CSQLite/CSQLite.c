#include "CSQLite.h"

#include <pthread.h>
#include <sqlite3.h>

// SQLite refuses it, to no harm, once a database was opened.
static void configure(void) { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

void csqlite_leave_memory_uncounted(void) {
    static pthread_once_t configured = PTHREAD_ONCE_INIT;
    pthread_once(&configured, configure);
}
