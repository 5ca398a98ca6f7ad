package import Formats
package import Secrets

/// The rules by which an id_token is believed (OpenID Connect Core 1.0 § 3.1.3.7).
package struct IDTokenValidation: Sendable {
    /// Exactly as the provider is known, by the catalog or by its metadata; or one name for each tenant (`IssuerName`).
    package var issuer: String
    /// The client that asked: `aud` must hold it, and `azp` be it where there is one.
    package var clientID: String
    /// The `alg` values that are accepted.
    package var algorithms: Set<SignatureAlgorithm>
    /// `nil` where none was sent: a refresh (§ 12.2).
    package var nonce: Nonce?
    /// The access token that came along: a claim `at_hash` must be its hash. `nil`: `at_hash` is not looked at.
    package var accessToken: AccessToken?
    /// The code that the tokens were given for: a claim `c_hash` must be its hash. `nil`: `c_hash` is not looked at.
    package var code: AuthorizationCode?

    /// With `usualAlgorithms` unless others are given. Checks nothing.
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

    /// Every algorithm of RFC 7518 § 3.1, RFC 8037 § 3.1 and RFC 9864 § 2 that has a public key: the key says which of
    /// them fit it.
    ///
    /// HS256 under the client secret, which § 3.1.3.7, 8 knows as well, is not among what can be allowed: no provider
    /// here needs it, and a secret that checks tokens also makes them.
    package static let usualAlgorithms = Set(SignatureAlgorithm.allCases)

    /// A believed token's subject and all that it claims.
    package struct Claims: Sendable {
        /// `sub`: 1 to 255 bytes, unique within the issuer (§ 2).
        package let subject: String
        /// Every claim of the token, `sub` among them.
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

    /// Both steps at once, where the keys are at hand: `signature(of:)`, then the claims.
    package func claims(
        of token: IDToken, keys: JSONWebKeySet, at now: Timestamp
    ) throws(IDTokenError) -> Claims {
        try claims(of: try signature(of: token), keys: keys, at: now)
    }

    /// The claims of a token whose signature, issuer, audience, times and hashes are right. The signature is checked
    /// first: before that, anybody may have written the claims.
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
    /// Explicit types have `+jwt` in them, whatever parameters or white space come after; OpenID Connect Core gives
    /// id_tokens none, and some providers say odd things.
    fileprivate var isOfAnotherKind: Bool {
        HeaderValue.mentions("+jwt", type) && !isTyped("id+jwt", "id_token+jwt")
    }
}
