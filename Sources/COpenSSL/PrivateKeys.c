#include <string.h>
#include "Keys.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/pem.h>

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

/// The same for RSA without its primes, which libcrypto cannot check by computing.
static int verifies_itself(EVP_PKEY *key) {
    static const unsigned char text[] = "pair";
    unsigned char signature[1024];
    const cloakroom_scheme scheme = {256, 0, 0};
    size_t length = cloakroom_sign(key, scheme, text, sizeof text, signature, sizeof signature);
    return length > 0 && cloakroom_verify(key, scheme, text, sizeof text, signature, length) == 1;
}

/// What a wrong pair signs, its public half does not verify; and a faulty RSA signature can give the key away.
static EVP_PKEY *checked(EVP_PKEY *key, int (*check)(EVP_PKEY *)) {
    if (key && (cloakroom_key_kind(key) == CLOAKROOM_KEY_OTHER || !check(key))) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    ERR_clear_error();
    return key;
}

EVP_PKEY *cloakroom_key_from_pem(const unsigned char *pem, size_t length) {
    if (length > 65536) return NULL;
    BIO *text = BIO_new_mem_buf(pem, (int)length);
    if (!text) return NULL;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(text, NULL, no_passphrase, NULL);
    BIO_free(text);
    return checked(key, is_pair);
}

EVP_PKEY *cloakroom_key_new_p256(void) { return EVP_EC_gen("P-256"); }

int cloakroom_p256_point(EVP_PKEY *key, unsigned char *out) {
    unsigned char *encoded = NULL;
    size_t length = EVP_PKEY_get1_encoded_public_key(key, &encoded);
    if (length == 65) memcpy(out, encoded, 65);
    OPENSSL_free(encoded);
    return length == 65;
}

int cloakroom_p256_shared(EVP_PKEY *key, const unsigned char *point, size_t length, unsigned char *out) {
    // Checked to be on the curve.
    EVP_PKEY *peer = cloakroom_key_from_point("P-256", point, length);
    EVP_PKEY_CTX *context = peer == NULL ? NULL : EVP_PKEY_CTX_new(key, NULL);
    size_t written = 32;
    int done = context != NULL && EVP_PKEY_derive_init(context) == 1 && EVP_PKEY_derive_set_peer(context, peer) == 1
        && EVP_PKEY_derive(context, out, &written) == 1 && written == 32;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(peer);
    return done;
}

EVP_PKEY *cloakroom_private_key_from_rsa(const unsigned char *numbers, const size_t *lengths, int count) {
    static const char *const names[] = {
        OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,         OSSL_PKEY_PARAM_RSA_D,
        OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
    if (count != 3 && count != 8) return NULL;
    BIGNUM *made[8] = {NULL};
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    int done = builder != NULL;
    for (int index = 0; done && index < count; index++) {
        done = lengths[index] <= 1024 && (made[index] = BN_bin2bn(numbers, (int)lengths[index], NULL)) != NULL
            && OSSL_PARAM_BLD_push_BN(builder, names[index], made[index]) == 1;
        numbers += lengths[index];
    }
    OSSL_PARAM *parameters = done ? OSSL_PARAM_BLD_to_param(builder) : NULL;
    EVP_PKEY *key = cloakroom_key_from_data("RSA", EVP_PKEY_KEYPAIR, parameters);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    for (int index = 0; index < count; index++) BN_clear_free(made[index]);
    return checked(key, count == 3 ? verifies_itself : is_pair);
}

EVP_PKEY *cloakroom_private_key_from_point(const char *curve, const unsigned char *point, size_t length,
                                           const unsigned char *d, size_t d_length) {
    BIGNUM *number = d_length <= 1024 ? BN_bin2bn(d, (int)d_length, NULL) : NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *parameters = NULL;
    if (number && builder && OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) == 1
        && OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, length) == 1
        && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, number) == 1) {
        parameters = OSSL_PARAM_BLD_to_param(builder);
    }
    EVP_PKEY *key = cloakroom_key_from_data("EC", EVP_PKEY_KEYPAIR, parameters);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    BN_clear_free(number);
    return checked(key, is_pair);
}

EVP_PKEY *cloakroom_private_key_from_edwards(const char *type, const unsigned char *bytes, size_t length) {
    return checked(EVP_PKEY_new_raw_private_key_ex(NULL, type, NULL, bytes, length), is_pair);
}
