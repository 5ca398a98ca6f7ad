#include "CPostgres.h"

#include <string.h>

static void count_warning(void *context, const PGresult *result) {
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity != NULL && strcmp(severity, "WARNING") == 0) ++*(int32_t *)context;
}

void cpostgres_count_warnings(PGconn *connection, int32_t *count) {
    PQsetNoticeReceiver(connection, count_warning, count);
}
