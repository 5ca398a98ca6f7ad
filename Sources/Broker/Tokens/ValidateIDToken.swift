import Catalog
import JOSE
import Secrets
import Transport

extension ProofContext {
    /// A client's JWT for one request (RFC 7523 § 2.2); `nil` where the client has no secret or key for it, or where
    /// it is not known whom it would be for.
    func assertion(of client: Client, by method: OAuthProfile.ClientAuthentication) -> ClientAssertion? {
        guard let audience else { return nil }
        return switch method {
        case .clientSecretJWT:
            client.secret.flatMap { .make(clientID: client.id, audience: audience, secret: $0, now: now) }
        case .privateKeyJWT:
            client.key.flatMap { .make(clientID: client.id, audience: audience, key: $0, now: now) }
        case .basic, .basicRaw, .post, .none, .tls: nil
        }
    }
}

extension Broker {
    /// Throws unless the tokens come with a valid id_token for this flow (OpenID Connect Core § 3.1.3.7).
    ///
    /// - Parameters:
    ///   - code: the code that the tokens were issued for; `nil` at a refresh, where an id_token need not come
    ///     (§ 12.2).
    func check(
        _ tokens: TokenResponse, of provider: Provider, client: Client, code: AuthorizationCode?, nonce: Nonce?
    ) async throws(ProviderError) {
        let rejected = { (reason: Reason) in
            ProviderError.rejected(error: "invalid_id_token", retryAfter: nil, reason: "the id_token: \(reason)")
        }
        guard let token = tokens.idToken else {
            if code == nil { return }
            throw rejected("the answer has none")
        }
        guard let issuer = provider.issuer else { throw rejected("the provider's issuer is not known") }
        guard let address = provider.jwks else { throw rejected("the address of the provider's keys is not known") }
        let validation = IDTokenValidation(
            issuer: issuer, clientID: client.id,
            algorithms: provider.idTokenAlgorithms, nonce: nonce,
            accessToken: tokens.accessToken, code: code)
        let keys: JSONWebKeySet
        let signed: JSONWebSignature
        do {
            signed = try validation.signature(of: token)
        } catch .algorithmNotAllowed(let name) {
            throw rejected("its alg is \(quoted: name), and \(provider.idTokenAlgorithmWords)")
        } catch {
            throw rejected(error.reason)
        }
        do throws(ProviderDirectoryError) {
            // A key that we do not know may be new: asked for once (OpenID Connect Core § 10.1.1).
            keys = try await directory.keys(at: address, where: { $0.hasKey(of: signed) }, cause: provider.keysCause)
        } catch {
            throw ProviderError(error, at: .keys)
        }
        do {
            _ = try validation.claims(of: signed, keys: keys, at: now())
        } catch {
            throw rejected(error.reason)
        }
    }
}

extension Provider {
    /// The algorithms by which its id_tokens may be signed: those of the catalog's entry, or else all that are known
    /// here, narrowed to what the provider announces (OpenID Connect Discovery § 3).
    fileprivate var idTokenAlgorithms: Set<SignatureAlgorithm> {
        if let own = profile.idTokenAlgorithms { return own }
        let usual = IDTokenValidation.usualAlgorithms
        guard let announced = metadata?.idTokenAlgorithms else { return usual }
        return usual.filter { algorithm in announced.contains { algorithm.isMeant(by: $0) } }
    }

    /// The same for operators, with whose word it is.
    fileprivate var idTokenAlgorithmWords: Reason {
        let names = idTokenAlgorithms.map(\.rawValue).sorted().joined(separator: ", ")
        if profile.idTokenAlgorithms != nil { return "the entry's idTokenAlgorithms are \(trusted: names)" }
        guard metadata?.idTokenAlgorithms != nil else { return "accepted are \(trusted: names)" }
        let accepted = names.isEmpty ? "none that is accepted" : names
        return "the provider's metadata announces \(trusted: accepted) (id_token_signing_alg_values_supported)"
    }
}
