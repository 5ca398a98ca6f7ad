// The few parts of libcrypto that Cloakroom uses. Only what must be cheap is wrapped: algorithms are fetched once and
// not at every call.
#ifndef CLOAKROOM_COPENSSL_H
#define CLOAKROOM_COPENSSL_H

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "Signatures.h"

/// RFC 5869 with SHA-256, at most 8160 bytes. Returns 1, or 0 where libcrypto failed.
int cloakroom_hkdf_sha256(const unsigned char *key, size_t key_length, const unsigned char *salt, size_t salt_length,
                          const unsigned char *info, size_t info_length, unsigned char *out, size_t out_length);

/// FIPS 180-4. `out` has 32 bytes. Returns 1, or 0 where libcrypto failed.
int cloakroom_sha256(const unsigned char *data, size_t length, unsigned char *out);

/// AES-256-GCM (NIST SP 800-38D), 12-byte nonce, 16-byte tag after the text. `out` has `length + 16` bytes.
int cloakroom_aes256gcm_seal(const unsigned char *key, const unsigned char *nonce, const unsigned char *context,
                             size_t context_length, const unsigned char *text, size_t length, unsigned char *out);

/// The inverse; `sealed` has `length + 16` bytes, `out` has `length`. Returns 0 where the tag does not match.
int cloakroom_aes256gcm_open(const unsigned char *key, const unsigned char *nonce, const unsigned char *context,
                             size_t context_length, const unsigned char *sealed, size_t length, unsigned char *out);

#endif
