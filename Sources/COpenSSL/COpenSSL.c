#include "COpenSSL.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

// Fetched once: an implicit fetch at every call costs more than the work itself.
static EVP_MD *sha256;
static EVP_CIPHER *aes256gcm;
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void fetch(void) {
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    aes256gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

static int ready(void) {
    return pthread_once(&fetched, fetch) == 0 && sha256 && aes256gcm;
}

typedef struct { const unsigned char *bytes; size_t length; } part;

// RFC 2104 with SHA-256 over the parts, one after another. `out` may be one of them.
// Not libcrypto's own HMAC, which looks its digest up anew at every call and takes twice the time.
static int hmac(EVP_MD_CTX *digest, part key, const part *parts, int count, unsigned char out[32]) {
    unsigned char block[64] = {0}, inner[32];
    int done = 1;
    if (key.length > sizeof block) {
        done = EVP_DigestInit_ex2(digest, sha256, NULL) == 1
            && EVP_DigestUpdate(digest, key.bytes, key.length) == 1 && EVP_DigestFinal_ex(digest, block, NULL) == 1;
    } else if (key.length > 0) {
        memcpy(block, key.bytes, key.length);
    }
    for (size_t i = 0; i < sizeof block; i++) block[i] ^= 0x36;
    done = done && EVP_DigestInit_ex2(digest, sha256, NULL) == 1
        && EVP_DigestUpdate(digest, block, sizeof block) == 1;
    for (int i = 0; i < count; i++) done = done && EVP_DigestUpdate(digest, parts[i].bytes, parts[i].length) == 1;
    done = done && EVP_DigestFinal_ex(digest, inner, NULL) == 1;
    for (size_t i = 0; i < sizeof block; i++) block[i] ^= 0x36 ^ 0x5C;
    done = done && EVP_DigestInit_ex2(digest, sha256, NULL) == 1
        && EVP_DigestUpdate(digest, block, sizeof block) == 1 && EVP_DigestUpdate(digest, inner, sizeof inner) == 1
        && EVP_DigestFinal_ex(digest, out, NULL) == 1;
    OPENSSL_cleanse(block, sizeof block);
    OPENSSL_cleanse(inner, sizeof inner);
    return done;
}

int cloakroom_hmac_sha256(const unsigned char *key, size_t key_length, const unsigned char *text, size_t length,
                          unsigned char *out) {
    if (!ready()) return 0;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    if (!digest) return 0;
    int done = hmac(digest, (part){key, key_length}, &(part){text, length}, 1, out);
    EVP_MD_CTX_free(digest);
    return done;
}

// Not libcrypto's own HKDF: it fetches SHA-256 anew at every call, which costs four times the work itself.
int cloakroom_hkdf_sha256(const unsigned char *key, size_t key_length, const unsigned char *salt, size_t salt_length,
                          const unsigned char *info, size_t info_length, unsigned char *out, size_t out_length) {
    // RFC 5869 § 2.3: the counter is one byte.
    if (!ready() || out_length > 255 * 32) return 0;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    if (!digest) return 0;
    unsigned char extracted[32], block[32];
    // RFC 5869 § 2.2: an absent salt is a block of zeros, which an empty HMAC key is too.
    int done = hmac(digest, (part){salt, salt_length}, &(part){key, key_length}, 1, extracted);
    size_t previous = 0;
    for (unsigned char counter = 1; done && out_length > 0; counter++) {
        part parts[] = {{block, previous}, {info, info_length}, {&counter, 1}};
        done = hmac(digest, (part){extracted, sizeof extracted}, parts, 3, block);
        previous = sizeof block;
        size_t taken = out_length < sizeof block ? out_length : sizeof block;
        if (done) memcpy(out, block, taken);
        out += taken;
        out_length -= taken;
    }
    OPENSSL_cleanse(extracted, sizeof extracted);
    OPENSSL_cleanse(block, sizeof block);
    EVP_MD_CTX_free(digest);
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
