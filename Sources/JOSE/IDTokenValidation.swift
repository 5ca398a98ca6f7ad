package import Formats
package import Secrets

/// The rules by which an id_token is believed (OpenID Connect Core 1.0 § 3.1.3.7).
package struct IDTokenValidation: Sendable {
    /// Exactly as the provider is known, by the catalog or by its metadata; or one name for each tenant (`IssuerName`).
    package var issuer: String
    package var clientID: String
    package var algorithms: Set<SignatureAlgorithm>
    /// `nil` where none was sent: a refresh (§ 12.2).
    package var nonce: Nonce?
    /// What came with the token; `at_hash` and `c_hash` are checked against them.
    package var accessToken: AccessToken?
    package var code: AuthorizationCode?

    package init(
        issuer: String, clientID: String, algorithms: Set<SignatureAlgorithm> = Self.usualAlgorithms,
        nonce: Nonce? = nil, accessToken: AccessToken? = nil, code: AuthorizationCode? = nil
    ) {
        self.issuer = issuer
        self.clientID = clientID
        self.algorithms = algorithms
        self.nonce = nonce
        self.accessToken = accessToken
        self.code = code
    }

    /// Every algorithm of RFC 7518, RFC 8037 and RFC 9864 that has a public key: the key says which of them fit it.
    ///
    /// HS256 under the client secret, which § 3.1.3.7, 8 knows as well, is not among what can be allowed: no provider
    /// here needs it, and a secret that checks tokens also makes them.
    package static let usualAlgorithms = Set(SignatureAlgorithm.allCases)

    /// A believed token's subject and all that it claims.
    package struct Claims: Sendable {
        package let subject: String
        package let all: [String: JSONValue]
    }

    /// The token taken apart, if it may be an id_token of this issuer at all. Nothing in it is believed yet.
    package func signature(of token: IDToken) throws(IDTokenError) -> JSONWebSignature {
        let signed: JSONWebSignature
        do {
            signed = try token.expose { (text) throws(JSONWebSignature.Fault) in try JSONWebSignature(text) }
        } catch {
            throw .malformed(error)
        }
        // § 3.1.3.7, 7. What is allowed is decided here; the header only chooses among that (RFC 8725 § 3.1).
        guard let algorithm = SignatureAlgorithm(rawValue: signed.algorithm), algorithms.contains(algorithm) else {
            throw .algorithmNotAllowed(signed.algorithm)
        }
        // RFC 8725 § 3.11: an access or logout token of the same issuer says what it is (RFC 9068 § 2.1), and is none.
        guard !signed.isOfAnotherKind else { throw .typeMismatch }
        return signed
    }

    /// Both steps at once, where the keys are at hand.
    package func claims(
        of token: IDToken, keys: JSONWebKeySet, at now: Timestamp
    ) throws(IDTokenError) -> Claims {
        try claims(of: try signature(of: token), keys: keys, at: now)
    }

    /// Checks the signature first: before it, every claim is anybody's.
    package func claims(
        of signed: JSONWebSignature, keys: JSONWebKeySet, at now: Timestamp
    ) throws(IDTokenError) -> Claims {
        let claims: VerifiedClaims
        do {
            claims = try keys.claims(of: signed)
        } catch {
            throw IDTokenError(error)
        }
        try checkIssuer(claims)
        try checkAudience(claims)
        try checkTimes(claims, at: Double(now.milliseconds) / 1000)
        try checkBindings(claims)
        // § 2.
        guard let subject = claims["sub"]?.string, (1...255).contains(subject.utf8.count) else {
            throw .subjectMalformed
        }
        return Claims(subject: subject, all: claims.members)
    }

    /// § 3.1.3.7, 2.
    private func checkIssuer(_ claims: VerifiedClaims) throws(IDTokenError) {
        let expected = IssuerName(issuer)
        guard expected.hasTenants else {
            if claims.isIssued(by: issuer) { return }
            throw claims["iss"]?.string?.differsBySlash(from: issuer) == true ? .issuerDiffersBySlash : .issuerMismatch
        }
        // The tenant is whatever the token says: so its issuer must be of that very tenant, and so must the key, where
        // the set tells whose it is. Else one tenant's key could sign for another.
        guard let tenant = claims["tid"]?.string, let name = expected.name(for: tenant), claims.isIssued(by: name),
            claims.keyIssuer.map({ IssuerName($0).name(for: tenant)?.isExactly(name) == true }) ?? true
        else { throw .tenantMismatch }
    }

    /// § 3.1.3.7, 3 to 5.
    private func checkAudience(_ claims: VerifiedClaims) throws(IDTokenError) {
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

    /// § 3.1.3.7, 9 and 10.
    private func checkTimes(_ claims: VerifiedClaims, at now: Double) throws(IDTokenError) {
        guard let expiry = claims.moment("exp") else { throw .expiryMissing }
        guard now < expiry + VerifiedClaims.leeway else { throw .expired }
        guard let issued = claims.moment("iat") else { throw .issueTimeMissing }
        guard issued <= now + VerifiedClaims.leeway else { throw .issuedInFuture }
        guard !claims.isEarly(at: now) else { throw .notYetValid }
    }

    private func checkBindings(_ claims: VerifiedClaims) throws(IDTokenError) {
        // § 3.1.3.7, 11.
        if let nonce {
            guard let presented = claims["nonce"]?.string, nonce.matches(Nonce(presented)) else {
                throw .nonceMismatch
            }
        }
        // § 3.1.3.8 and § 3.3.2.11: not required with the code flow, but right where they are there.
        if let hash = claims["at_hash"], let accessToken {
            guard accessToken.expose({ claims.isHash(hash, of: $0) }) else { throw .accessTokenMismatch }
        }
        if let hash = claims["c_hash"], let code {
            guard code.expose({ claims.isHash(hash, of: $0) }) else { throw .codeMismatch }
        }
    }
}

extension VerifiedClaims {
    /// § 3.1.3.6: the left half of the digest that `alg` rests on.
    fileprivate func isHash(_ claim: JSONValue, of text: String) -> Bool {
        guard let digest = algorithm?.digest(of: Array(text.utf8)),
            let presented = claim.string.flatMap({ Base64URL.decode($0) })
        else { return false }
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
