#include "Signatures.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

/// ECDSA's DER for P-521 has at most 139 bytes.
enum { longest_der = 160, longest_number = 66 };

static const char *digest_name(cloakroom_scheme scheme) {
    switch (scheme.digest) {
    case 256: return "SHA256";
    case 384: return "SHA384";
    case 512: return "SHA512";
    default: return NULL;
    }
}

/// RFC 7518 § 3.5: the salt of PSS is as long as the digest, and MGF1 uses the same digest (libcrypto's default).
static int set_padding(EVP_PKEY_CTX *context, cloakroom_scheme scheme) {
    return !scheme.pss
        || (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1
            && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1);
}

static size_t raw_from_der(const unsigned char *der, size_t length, int width, unsigned char *out, size_t capacity) {
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)length);
    if (!pair) return 0;
    int done = (size_t)width * 2 <= capacity && BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, width) == width
        && BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + width, width) == width;
    ECDSA_SIG_free(pair);
    return done ? (size_t)width * 2 : 0;
}

/// Returns the length, or 0. `out` has `longest_der` bytes.
static size_t der_from_raw(const unsigned char *raw, int width, unsigned char *out) {
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, width, NULL), *s = BN_bin2bn(raw + width, width, NULL);
    int length = 0;
    // The pair owns its numbers once it has them.
    if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL;
        int needed = i2d_ECDSA_SIG(pair, NULL);
        if (needed > 0 && needed <= longest_der) length = i2d_ECDSA_SIG(pair, &out);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return length > 0 ? (size_t)length : 0;
}

size_t cloakroom_sign(EVP_PKEY *key, cloakroom_scheme scheme, const unsigned char *text, size_t length,
                      unsigned char *out, size_t capacity) {
    unsigned char der[longest_der];
    size_t written = scheme.width > 0 ? sizeof der : capacity;
    EVP_PKEY_CTX *options = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int done = context && EVP_DigestSignInit_ex(context, &options, digest_name(scheme), NULL, NULL, key, NULL) == 1
        && set_padding(options, scheme)
        && EVP_DigestSign(context, scheme.width > 0 ? der : out, &written, text, length) == 1;
    EVP_MD_CTX_free(context);
    if (done && scheme.width > 0) written = raw_from_der(der, written, scheme.width, out, capacity);
    ERR_clear_error();
    return done ? written : 0;
}

int cloakroom_verify(EVP_PKEY *key, cloakroom_scheme scheme, const unsigned char *text, size_t length,
                     const unsigned char *signature, size_t signature_length) {
    unsigned char der[longest_der];
    if (scheme.width > 0) {
        // RFC 7518 § 3.4: two numbers of one width and nothing else.
        if (scheme.width > longest_number || signature_length != (size_t)scheme.width * 2) return 0;
        signature_length = der_from_raw(signature, scheme.width, der);
        if (signature_length == 0) return 0;
        signature = der;
    }
    EVP_PKEY_CTX *options = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int done = context && EVP_DigestVerifyInit_ex(context, &options, digest_name(scheme), NULL, NULL, key, NULL) == 1
        && set_padding(options, scheme)
        && EVP_DigestVerify(context, signature, signature_length, text, length) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return done;
}
