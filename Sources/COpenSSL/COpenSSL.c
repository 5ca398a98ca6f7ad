#include "COpenSSL.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <pthread.h>

// Fetched once: an implicit fetch at every call costs more than the work itself.
static EVP_KDF *hkdf;
static EVP_MD *sha256;
static EVP_CIPHER *aes256gcm;
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void fetch(void) {
    hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    aes256gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

static int ready(void) {
    return pthread_once(&fetched, fetch) == 0 && hkdf && sha256 && aes256gcm;
}

int cloakroom_hkdf_sha256(const unsigned char *key, size_t key_length, const unsigned char *salt, size_t salt_length,
                          const unsigned char *info, size_t info_length, unsigned char *out, size_t out_length) {
    if (!ready()) return 0;
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(hkdf);
    if (!context) return 0;
    OSSL_PARAM parameters[5], *next = parameters;
    *next++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0);
    *next++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key, key_length);
    // An absent salt and one of zero length are the same to RFC 5869; libcrypto wants it left out.
    if (salt_length > 0) *next++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, salt_length);
    *next++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, info_length);
    *next = OSSL_PARAM_construct_end();
    int done = EVP_KDF_derive(context, out, out_length, parameters) == 1;
    EVP_KDF_CTX_free(context);
    return done;
}

int cloakroom_sha256(const unsigned char *data, size_t length, unsigned char *out) {
    return ready() && EVP_Digest(data, length, out, NULL, sha256, NULL) == 1;
}

int cloakroom_aes256gcm_seal(const unsigned char *key, const unsigned char *nonce, const unsigned char *context,
                             size_t context_length, const unsigned char *text, size_t length, unsigned char *out) {
    if (!ready() || length > INT_MAX || context_length > INT_MAX) return 0;
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    if (!cipher) return 0;
    int written = 0, rest = 0;
    // The default nonce of GCM has 12 bytes (SP 800-38D § 5.2.1.1), the default tag 16.
    int done = EVP_EncryptInit_ex2(cipher, aes256gcm, key, nonce, NULL) == 1
        && EVP_EncryptUpdate(cipher, NULL, &written, context, (int)context_length) == 1
        && EVP_EncryptUpdate(cipher, out, &written, text, (int)length) == 1 && written == (int)length
        && EVP_EncryptFinal_ex(cipher, out + written, &rest) == 1 && rest == 0
        && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, 16, out + length) == 1;
    EVP_CIPHER_CTX_free(cipher);
    return done;
}

int cloakroom_aes256gcm_open(const unsigned char *key, const unsigned char *nonce, const unsigned char *context,
                             size_t context_length, const unsigned char *sealed, size_t length, unsigned char *out) {
    if (!ready() || length > INT_MAX || context_length > INT_MAX) return 0;
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    if (!cipher) return 0;
    int written = 0, rest = 0;
    int done = EVP_DecryptInit_ex2(cipher, aes256gcm, key, nonce, NULL) == 1
        && EVP_DecryptUpdate(cipher, NULL, &written, context, (int)context_length) == 1
        && EVP_DecryptUpdate(cipher, out, &written, sealed, (int)length) == 1 && written == (int)length
        && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, 16, (void *)(sealed + length)) == 1
        && EVP_DecryptFinal_ex(cipher, out + written, &rest) == 1;
    EVP_CIPHER_CTX_free(cipher);
    if (!done) OPENSSL_cleanse(out, length);
    return done;
}
