import Formats
package import HTTPService
package import JOSE
import Secrets
import StrictYAML

/// The source of the keys that callers' tokens are verified by.
package enum CallerKeys: Sendable {
    /// Keys, or a shared secret, that were in a file.
    case fixed(VerificationKeys)
    /// A JWK set at this address.
    case address(String)
}

/// The issuer of callers' tokens, and the keys by which they are verified.
extension ConfigurationReader {
    /// The section `auth`.
    ///
    /// - Parameter allowInsecure: `auth.jwksURL` may be plain http.
    package func auth(allowInsecure: Bool) -> (rules: BearerTokenVerifier.Rules?, keys: CallerKeys?) {
        let auth = section("auth")
        let issuer = auth.required("issuer", "the iss of callers' tokens")
        let audience = auth.required("audience", "the aud of callers' tokens")
        let tenantClaim = claim("tenantClaim", in: auth) ?? "tenant"
        let scopeClaim = claim("scopeClaim", in: auth) ?? "scope"
        let keys = callerKeys(auth, allowInsecure: allowInsecure)
        auth.finish()
        guard let issuer, let audience else { return (nil, keys) }
        let rules = BearerTokenVerifier.Rules(
            issuer: issuer, audience: audience, tenantClaim: tenantClaim, scopeClaim: scopeClaim)
        return (rules, keys)
    }

    /// The name of a claim, which no blank is.
    private func claim(_ name: String, in auth: YAMLReader) -> String? {
        guard let claim = auth.string(name) else { return nil }
        guard claim.contains(where: { !$0.isWhitespace }) else {
            auth.problem(name, found: claim.quoted, wanted: "the name of a claim")
            return nil
        }
        return claim
    }

    /// The one source that counts: a shared secret beside a JWK set would let whoever has either mint tokens.
    private func callerKeys(_ auth: YAMLReader, allowInsecure: Bool) -> CallerKeys? {
        let jwksFile = auth.string("jwksFile")
        let jwksURL = auth.string("jwksURL")
        let hmacSecretFile = auth.string("hmacSecretFile")
        if jwksFile != nil, jwksURL != nil {
            auth.problem("jwksURL", found: "both this and jwksFile", wanted: "one of the two")
            return nil
        }
        if hmacSecretFile != nil, jwksFile != nil || jwksURL != nil {
            notes.remarks.append(
                "auth.hmacSecretFile is not used: HS256 is only accepted where no JWKS is configured")
        }
        if let jwksFile { return keySet(jwksFile, in: auth) }
        if let jwksURL { return keySet(at: jwksURL, in: auth, allowInsecure: allowInsecure) }
        if let hmacSecretFile { return sharedSecret(hmacSecretFile, in: auth) }
        auth.problem("jwksFile", found: "nothing", wanted: "one of jwksFile, jwksURL, hmacSecretFile")
        return nil
    }

    private func keySet(_ file: String, in auth: YAMLReader) -> CallerKeys? {
        let wanted =
            "a JWK set (RFC 7517) with a public key: RSA of at least 2048 bits, P-256, P-384, P-521, Ed25519 or Ed448"
        guard let bytes = contents(file, of: "jwksFile", in: auth, wanted: wanted) else { return nil }
        do {
            return .fixed(try VerificationKeys(jwks: bytes))
        } catch {
            let found = error == .notAKeySet ? ", which is no JWK set" : ", which has no usable key"
            auth.problem("jwksFile", found: file.quoted + found, wanted: wanted)
            return nil
        }
    }

    private func keySet(at url: String, in auth: YAMLReader, allowInsecure: Bool) -> CallerKeys? {
        guard let parsed = StrictURL(url), parsed.isHTTPS || allowInsecure else {
            auth.problem("jwksURL", found: url.quotedAddress, wanted: "an https address")
            return nil
        }
        return .address(url)
    }

    private func sharedSecret(_ file: String, in auth: YAMLReader) -> CallerKeys? {
        let wanted = "a shared secret as text, of at least 32 bytes (RFC 7518 § 3.2)"
        guard let bytes = secret(file, of: "hmacSecretFile", in: auth, wanted: wanted) else { return nil }
        do {
            return .fixed(try VerificationKeys(sharedSecret: SecretBytes(bytes)))
        } catch {
            auth.problem(
                "hmacSecretFile", found: file.quoted + " with \(bytes.count) bytes", wanted: wanted)
            return nil
        }
    }
}
