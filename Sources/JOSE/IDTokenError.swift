/// The reasons why an id_token is not believed. Sections are those of OpenID Connect Core 1.0. No case holds anything
/// of the token.
package enum IDTokenError: Error, Equatable, Sendable {
    /// No signed token in compact form (RFC 7515 § 5.2).
    case malformed(JSONWebSignature.Fault)
    /// § 3.1.3.7, 7: `alg`, given here as the header has it, is not one that was agreed on.
    case algorithmNotAllowed(String)
    /// RFC 8725 § 3.11: `typ` is another kind of token's.
    case typeMismatch
    /// § 3.1.3.7, 6 and § 10.1.1: the issuer's keys as they are known have none of this name. They may be old.
    case unknownKey
    /// § 10.1: with several keys that fit, the header must name one.
    case ambiguousKey
    /// § 3.1.3.7, 6.
    case signatureWrong
    /// § 2, RFC 7519 § 4: the payload is no JSON object, or has a claim twice.
    case claimsMalformed
    /// § 3.1.3.7, 2.
    case issuerMismatch
    /// The same by a slash at the end.
    case issuerDiffersBySlash
    /// The same of an issuer with one name for each tenant: `tid` is missing, or names another; or the key is
    /// another's.
    case tenantMismatch
    /// § 3.1.3.7, 3: `aud` does not have our client id.
    case audienceMismatch
    /// § 3.1.3.7, 4: several audiences, and no `azp`.
    case authorizedPartyMissing
    /// § 3.1.3.7, 5: `azp` is another client.
    case authorizedPartyMismatch
    /// § 2: `exp` is missing or no number.
    case expiryMissing
    /// § 3.1.3.7, 9.
    case expired
    /// § 2: `iat` is missing or no number.
    case issueTimeMissing
    /// § 3.1.3.7, 10: `iat` is still to come.
    case issuedInFuture
    /// RFC 7519 § 4.1.5: `nbf` is still to come, or no number.
    case notYetValid
    /// § 3.1.3.7, 11: `nonce` is missing or another flow's.
    case nonceMismatch
    /// § 2: `sub` is missing, empty or longer than 255 characters.
    case subjectMalformed
    /// § 3.1.3.8: `at_hash` is another access token's.
    case accessTokenMismatch
    /// § 3.3.2.11: `c_hash` is another code's.
    case codeMismatch
}

extension IDTokenError {
    init(_ fault: VerifiedClaims.Fault) {
        switch fault {
        case .unknownAlgorithm(let name): self = .algorithmNotAllowed(name)
        case .unknownKey: self = .unknownKey
        case .ambiguousKey: self = .ambiguousKey
        case .signatureWrong: self = .signatureWrong
        case .malformed, .memberRepeated: self = .claimsMalformed
        }
    }
}
