#include "Keys.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <string.h>

size_t cloakroom_sha2(int bits, const unsigned char *text, size_t length, unsigned char *out) {
    const EVP_MD *digest = bits == 256 ? EVP_sha256() : bits == 384 ? EVP_sha384() : EVP_sha512();
    unsigned int written = 0;
    return EVP_Digest(text, length, out, &written, digest, NULL) == 1 ? written : 0;
}

int cloakroom_shake256(const unsigned char *text, size_t length, unsigned char *out, size_t out_length) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int done = context && EVP_DigestInit_ex2(context, EVP_shake256(), NULL) == 1
        && EVP_DigestUpdate(context, text, length) == 1 && EVP_DigestFinalXOF(context, out, out_length) == 1;
    EVP_MD_CTX_free(context);
    return done;
}

int cloakroom_key_kind(const EVP_PKEY *key) {
    // Not "RSA-PSS", which is a type of its own: an RSA key of RFC 7518 may sign both ways.
    if (EVP_PKEY_is_a(key, "RSA")) {
        int bits = EVP_PKEY_get_bits(key);
        return bits >= 2048 && bits <= 8192 ? CLOAKROOM_KEY_RSA : CLOAKROOM_KEY_OTHER;
    }
    if (EVP_PKEY_is_a(key, "ED25519")) return CLOAKROOM_KEY_ED25519;
    if (EVP_PKEY_is_a(key, "ED448")) return CLOAKROOM_KEY_ED448;
    char curve[64];
    if (!EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL) != 1) {
        return CLOAKROOM_KEY_OTHER;
    }
    if (strcmp(curve, "prime256v1") == 0) return CLOAKROOM_KEY_P256;
    if (strcmp(curve, "secp384r1") == 0) return CLOAKROOM_KEY_P384;
    if (strcmp(curve, "secp521r1") == 0) return CLOAKROOM_KEY_P521;
    return CLOAKROOM_KEY_OTHER;
}

EVP_PKEY *cloakroom_key_from_data(const char *type, int selection, OSSL_PARAM *parameters) {
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (context && parameters && EVP_PKEY_fromdata_init(context) == 1) {
        // The key stays NULL where the numbers make none.
        EVP_PKEY_fromdata(context, &key, selection, parameters);
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
    EVP_PKEY *key = cloakroom_key_from_data("RSA", EVP_PKEY_PUBLIC_KEY, parameters);
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
    return cloakroom_key_from_data("EC", EVP_PKEY_PUBLIC_KEY, parameters);
}

EVP_PKEY *cloakroom_key_from_edwards(const char *type, const unsigned char *bytes, size_t length) {
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key_ex(NULL, type, NULL, bytes, length);
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

size_t cloakroom_key_edwards(const EVP_PKEY *key, unsigned char *out, size_t capacity) {
    size_t length = capacity;
    return EVP_PKEY_get_raw_public_key(key, out, &length) == 1 ? length : 0;
}
