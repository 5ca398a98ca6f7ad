// Keys and signatures for JSON Web Signatures (RFC 7515, RFC 7518). Swift cannot call these parts well: parameters
// are arrays of C structures, and ECDSA's two numbers come wrapped in DER.
#ifndef CLOAKROOM_SIGNATURES_H
#define CLOAKROOM_SIGNATURES_H

#include <openssl/evp.h>
#include <stddef.h>

/// HMAC-SHA-256 (RFC 2104). `out` has 32 bytes. Returns 1, or 0 where libcrypto failed.
int cloakroom_hmac_sha256(const unsigned char *key, size_t key_length, const unsigned char *text, size_t length,
                          unsigned char *out);

/// SHA-2 of 256, 384 or 512 bits; `out` has 64 bytes. Returns the digest's length, or 0 where libcrypto failed.
size_t cloakroom_sha2(int bits, const unsigned char *text, size_t length, unsigned char *out);

/// SHAKE256 (FIPS 202), as long as is wanted. Returns 1, or 0 where libcrypto failed.
int cloakroom_shake256(const unsigned char *text, size_t length, unsigned char *out, size_t out_length);

/// The kinds of keys that are used here.
enum {
    CLOAKROOM_KEY_OTHER = 0,
    CLOAKROOM_KEY_RSA,
    CLOAKROOM_KEY_P256,
    CLOAKROOM_KEY_P384,
    CLOAKROOM_KEY_P521,
    CLOAKROOM_KEY_ED25519,
    CLOAKROOM_KEY_ED448
};

/// RSA counts only with 2048 to 8192 bits, EC only on the curves above.
int cloakroom_key_kind(const EVP_PKEY *key);

/// A private key without passphrase in PEM: PKCS #8, PKCS #1 or SEC 1. NULL where there is none or its halves do not
/// belong together.
EVP_PKEY *cloakroom_key_from_pem(const unsigned char *pem, size_t length);

/// A new private key on P-256.
EVP_PKEY *cloakroom_key_new_p256(void);

/// The public half of a key on P-256, as 65 bytes. Returns 1, or 0 where libcrypto failed.
int cloakroom_p256_point(EVP_PKEY *key, unsigned char *out);
/// The secret of 32 bytes that two keys on P-256 share (SP 800-56A § 5.7.1.2). Returns 1, or 0 where `point` is none.
int cloakroom_p256_shared(EVP_PKEY *key, const unsigned char *point, size_t length, unsigned char *out);

/// Public keys from their numbers (big endian); NULL where they make no key. `point` is 0x04, x, y.
EVP_PKEY *cloakroom_key_from_rsa(const unsigned char *n, size_t n_length, const unsigned char *e, size_t e_length);
EVP_PKEY *cloakroom_key_from_point(const char *curve, const unsigned char *point, size_t length);
/// `type` is ED25519 or ED448.
EVP_PKEY *cloakroom_key_from_edwards(const char *type, const unsigned char *bytes, size_t length);

/// Private keys from their numbers (big endian); NULL where they make none or its halves do not belong together.
/// `numbers` are RSA's n, e, d and, unless `count` is 3, p, q, dp, dq, qi, one behind the other.
EVP_PKEY *cloakroom_private_key_from_rsa(const unsigned char *numbers, const size_t *lengths, int count);
EVP_PKEY *cloakroom_private_key_from_point(const char *curve, const unsigned char *point, size_t length,
                                           const unsigned char *d, size_t d_length);
EVP_PKEY *cloakroom_private_key_from_edwards(const char *type, const unsigned char *bytes, size_t length);

/// A number of a key by libcrypto's name for it, big endian, padded to `width` unless that is 0.
/// Returns its length, or 0 where the key has none or it does not fit.
size_t cloakroom_key_number(const EVP_PKEY *key, const char *name, int width, unsigned char *out, size_t capacity);

/// The bytes of an Ed25519 or Ed448 public key. Returns their number, or 0.
size_t cloakroom_key_edwards(const EVP_PKEY *key, unsigned char *out, size_t capacity);

/// How to sign. `digest` is SHA-2's bits, or 0 for Ed25519 and Ed448; `width` is the length of ECDSA's numbers, else 0.
typedef struct {
    int digest;
    int pss;
    int width;
} cloakroom_scheme;

/// Signs; ECDSA as R and S side by side (RFC 7518 § 3.4). Returns the length, or 0 where it failed.
size_t cloakroom_sign(EVP_PKEY *key, cloakroom_scheme scheme, const unsigned char *text, size_t length,
                      unsigned char *out, size_t capacity);

/// Returns 1 where the signature is this text's by this key.
int cloakroom_verify(EVP_PKEY *key, cloakroom_scheme scheme, const unsigned char *text, size_t length,
                     const unsigned char *signature, size_t signature_length);

#endif
