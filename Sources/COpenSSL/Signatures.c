#include "Signatures.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <string.h>

static EVP_MAC *hmac;
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void fetch(void) { hmac = EVP_MAC_fetch(NULL, "HMAC", NULL); }

int cloakroom_hmac_sha256(const unsigned char *key, size_t key_length, const unsigned char *text, size_t length,
                          unsigned char *out) {
    if (pthread_once(&fetched, fetch) != 0 || !hmac) return 0;
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(hmac);
    if (!context) return 0;
    OSSL_PARAM parameters[2] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0), OSSL_PARAM_construct_end()};
    size_t written = 0;
    // An absent key would mean the last one; an empty key is one like any other (RFC 2104 § 2 pads it).
    int done = EVP_MAC_init(context, key_length > 0 ? key : (const unsigned char *)"", key_length, parameters) == 1
        && EVP_MAC_update(context, text, length) == 1 && EVP_MAC_final(context, out, &written, 32) == 1
        && written == 32;
    EVP_MAC_CTX_free(context);
    return done;
}

size_t cloakroom_sha2(int bits, const unsigned char *text, size_t length, unsigned char *out) {
    const EVP_MD *digest = bits == 256 ? EVP_sha256() : bits == 384 ? EVP_sha384() : EVP_sha512();
    unsigned int written = 0;
    return EVP_Digest(text, length, out, &written, digest, NULL) == 1 ? written : 0;
}

/// Nobody is asked for a passphrase: libcrypto's own callback would read the terminal.
static int no_passphrase(char *buffer, int size, int writing, void *context) {
    (void)buffer, (void)size, (void)writing, (void)context;
    return -1;
}

static int is_pair(EVP_PKEY *key) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    int done = context && EVP_PKEY_pairwise_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    return done;
}

EVP_PKEY *cloakroom_key_from_pem(const unsigned char *pem, size_t length) {
    if (length > 65536) return NULL;
    BIO *text = BIO_new_mem_buf(pem, (int)length);
    if (!text) return NULL;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(text, NULL, no_passphrase, NULL);
    BIO_free(text);
    // What a wrong pair signs, its public half does not verify; and a faulty RSA signature can give the key away.
    if (key && (cloakroom_key_kind(key) == CLOAKROOM_KEY_OTHER || !is_pair(key))) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    ERR_clear_error();
    return key;
}

EVP_PKEY *cloakroom_key_new_p256(void) { return EVP_EC_gen("P-256"); }

int cloakroom_key_kind(const EVP_PKEY *key) {
    // Not "RSA-PSS", which is a type of its own: an RSA key of RFC 7518 may sign both ways.
    if (EVP_PKEY_is_a(key, "RSA")) {
        int bits = EVP_PKEY_get_bits(key);
        return bits >= 2048 && bits <= 8192 ? CLOAKROOM_KEY_RSA : CLOAKROOM_KEY_OTHER;
    }
    if (EVP_PKEY_is_a(key, "ED25519")) return CLOAKROOM_KEY_ED25519;
    char curve[64];
    if (!EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL) != 1) {
        return CLOAKROOM_KEY_OTHER;
    }
    if (strcmp(curve, "prime256v1") == 0) return CLOAKROOM_KEY_P256;
    if (strcmp(curve, "secp384r1") == 0) return CLOAKROOM_KEY_P384;
    return CLOAKROOM_KEY_OTHER;
}

static EVP_PKEY *from_data(const char *type, OSSL_PARAM *parameters) {
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (context && parameters && EVP_PKEY_fromdata_init(context) == 1) {
        // The key stays NULL where the numbers make none: a point off its curve, for one.
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters);
    }
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return key;
}

EVP_PKEY *cloakroom_key_from_rsa(const unsigned char *n, size_t n_length, const unsigned char *e, size_t e_length) {
    if (n_length > INT_MAX || e_length > INT_MAX) return NULL;
    BIGNUM *modulus = BN_bin2bn(n, (int)n_length, NULL), *exponent = BN_bin2bn(e, (int)e_length, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *parameters = NULL;
    if (modulus && exponent && builder && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1
        && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1) {
        parameters = OSSL_PARAM_BLD_to_param(builder);
    }
    EVP_PKEY *key = from_data("RSA", parameters);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    BN_free(modulus);
    BN_free(exponent);
    return key;
}

EVP_PKEY *cloakroom_key_from_point(const char *curve, const unsigned char *point, size_t length) {
    OSSL_PARAM parameters[3] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)curve, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point, length), OSSL_PARAM_construct_end()};
    return from_data("EC", parameters);
}

EVP_PKEY *cloakroom_key_from_ed25519(const unsigned char *bytes, size_t length) {
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, length);
    ERR_clear_error();
    return key;
}

size_t cloakroom_key_number(const EVP_PKEY *key, const char *name, int width, unsigned char *out, size_t capacity) {
    BIGNUM *number = NULL;
    if (EVP_PKEY_get_bn_param(key, name, &number) != 1) {
        ERR_clear_error();
        return 0;
    }
    int length = width > 0 ? width : BN_num_bytes(number);
    int done = length > 0 && (size_t)length <= capacity && BN_bn2binpad(number, out, length) == length;
    BN_clear_free(number);
    return done ? (size_t)length : 0;
}

int cloakroom_key_ed25519(const EVP_PKEY *key, unsigned char *out) {
    size_t length = 32;
    return EVP_PKEY_get_raw_public_key(key, out, &length) == 1 && length == 32;
}
