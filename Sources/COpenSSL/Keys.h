// What the files of this target need of each other.
#ifndef CLOAKROOM_KEYS_H
#define CLOAKROOM_KEYS_H

#include "Signatures.h"

#include <openssl/params.h>

/// A key of its parts; NULL where they make none: a point off its curve, for one.
EVP_PKEY *cloakroom_key_from_data(const char *type, int selection, OSSL_PARAM *parameters);

#endif
