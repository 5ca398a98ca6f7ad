import Formats
import Secrets

/// What an id_token must be for us to believe it (OpenID Connect Core 1.0 § 3.1.3.7).
struct IDTokenCheck: Sendable {
    /// Exactly as the provider is known, by the catalog or by its metadata.
    let issuer: String
    let clientID: String
    var algorithms = Self.usualAlgorithms
    /// `nil` where none was sent: a refresh (§ 12.2).
    var nonce: Nonce?
    /// What came with the token; `at_hash` and `c_hash` are checked against them.
    var accessToken: AccessToken?
    var code: AuthorizationCode?

    /// HS256 under the client secret, which § 3.1.3.7, 8 knows as well, is not among what can be allowed: no provider
    /// here needs it, and a secret that checks tokens also makes them.
    static let usualAlgorithms: Set<SignatureAlgorithm> = [.RS256, .ES256, .PS256, .EdDSA]

    /// Seconds by which clocks may differ.
    static let leeway = 60.0

    /// What a believed token says.
    struct Claims: Sendable {
        let subject: String
        let all: [String: JSONValue]
    }

    /// Checks the signature first: before it, every claim is anybody's.
    func claims(of token: IDToken, keys: JSONWebKeySet, at now: Timestamp) throws(IDTokenError) -> Claims {
        let signed: JSONWebSignature
        do {
            signed = try token.expose { (text) throws(JSONWebSignature.Fault) in try JSONWebSignature(text) }
        } catch {
            throw .malformed(error)
        }
        // § 3.1.3.7, 7. What is allowed is decided here; the header only chooses among that (RFC 8725 § 3.1).
        guard let algorithm = SignatureAlgorithm(rawValue: signed.algorithm), algorithms.contains(algorithm) else {
            throw .algorithmNotAllowed
        }
        // RFC 8725 § 3.11: an access or logout token of the same issuer says what it is (RFC 9068 § 2.1), and is none.
        guard !signed.isOfAnotherKind else { throw .typeMismatch }
        try checkSignature(signed, algorithm, keys)

        guard let claims = try? StrictJSON.object(signed.payload) else { throw .claimsMalformed }
        // § 3.1.3.7, 2.
        guard claims["iss"]?.string?.isExactly(issuer) == true else { throw .issuerMismatch }
        try checkAudience(claims)
        try checkTimes(claims, at: Double(now.milliseconds) / 1000)
        try checkBindings(claims, algorithm)
        // § 2.
        guard let subject = claims["sub"]?.string, (1...255).contains(subject.utf8.count) else {
            throw .subjectMalformed
        }
        return Claims(subject: subject, all: claims)
    }

    private func checkSignature(
        _ signed: JSONWebSignature, _ algorithm: SignatureAlgorithm, _ keys: JSONWebKeySet
    ) throws(IDTokenError) {
        let candidates = keys.keys(for: signed.keyID, algorithm)
        guard !candidates.isEmpty else { throw .unknownKey }
        // § 10.1: "if there are multiple keys … a kid value MUST be provided".
        guard candidates.count == 1 || signed.keyID != nil else { throw .ambiguousKey }
        guard candidates.contains(where: { signed.isSigned(by: $0, with: algorithm) }) else { throw .signatureWrong }
    }

    /// § 3.1.3.7, 3 to 5.
    private func checkAudience(_ claims: [String: JSONValue]) throws(IDTokenError) {
        let audiences: [JSONValue] =
            switch claims["aud"] {
            case .string(let one)?: [.string(one)]
            case .array(let several)?: several
            default: []
            }
        guard audiences.allSatisfy({ $0.string != nil }),
            audiences.contains(where: { $0.string?.isExactly(clientID) == true })
        else { throw .audienceMismatch }
        guard let party = claims["azp"] else {
            guard audiences.count == 1 else { throw .authorizedPartyMissing }
            return
        }
        guard party.string?.isExactly(clientID) == true else { throw .authorizedPartyMismatch }
    }

    /// § 3.1.3.7, 9 and 10. In floating point: a number of any size compares, and none overflows.
    private func checkTimes(_ claims: [String: JSONValue], at now: Double) throws(IDTokenError) {
        guard let expiry = claims["exp"]?.moment else { throw .expiryMissing }
        guard now < expiry + Self.leeway else { throw .expired }
        guard let issued = claims["iat"]?.moment else { throw .issueTimeMissing }
        guard issued <= now + Self.leeway else { throw .issuedInFuture }
        if let notBefore = claims["nbf"] {
            guard let notBefore = notBefore.moment, notBefore <= now + Self.leeway else { throw .notYetValid }
        }
    }

    private func checkBindings(_ claims: [String: JSONValue], _ algorithm: SignatureAlgorithm) throws(IDTokenError) {
        // § 3.1.3.7, 11.
        if let nonce {
            guard let presented = claims["nonce"]?.string, nonce.matches(Nonce(presented)) else {
                throw .nonceMismatch
            }
        }
        // § 3.1.3.8 and § 3.3.2.11: not required with the code flow, but right where they are there.
        if let hash = claims["at_hash"], let accessToken {
            guard accessToken.expose({ Self.isHash(hash, of: $0, algorithm) }) else { throw .accessTokenMismatch }
        }
        if let hash = claims["c_hash"], let code {
            guard code.expose({ Self.isHash(hash, of: $0, algorithm) }) else { throw .codeMismatch }
        }
    }

    /// § 3.1.3.6: the left half of the digest that `alg` rests on.
    private static func isHash(_ claim: JSONValue, of text: String, _ algorithm: SignatureAlgorithm) -> Bool {
        let digest = algorithm.digest(of: Array(text.utf8))
        guard let presented = claim.string.flatMap({ Base64URL.decode($0) }) else { return false }
        return constantTimeEqual(presented, Array(digest.prefix(digest.count / 2)))
    }
}

extension JSONWebSignature {
    /// Explicit types end in `+jwt`; OpenID Connect Core gives id_tokens none, and some providers say odd things.
    fileprivate var isOfAnotherKind: Bool {
        guard let ending = type?.utf8.suffix(4) else { return false }
        return String(decoding: ending, as: UTF8.self).isExactly("+jwt", inAnyCase: true)
            && !isTyped("id+jwt", "id_token+jwt")
    }
}

extension JSONValue {
    /// A moment as RFC 7519 § 2 has them: a number of seconds, never text.
    fileprivate var moment: Double? {
        switch self {
        case .number(let seconds): seconds
        case .integer(let seconds): Double(seconds)
        default: nil
        }
    }
}
