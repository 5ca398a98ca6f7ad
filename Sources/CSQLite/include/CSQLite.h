// The functions of SQLite that take variable arguments, which Swift cannot call.
#ifndef CSQLITE_H
#define CSQLITE_H

/// Has SQLite count no memory, for which it takes one lock for all connections at each allocation
/// (https://www.sqlite.org/c3ref/c_config_covering_index_scan.html#sqliteconfigmemstatus). To be called before the first
/// database is opened; later and further calls change nothing.
void csqlite_leave_memory_uncounted(void);

#endif
