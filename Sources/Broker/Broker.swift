public import Secrets

/// The domain: begins flows, takes callbacks, hands out credentials once.
///
/// Holds no mutable state: what lasts is in the store, what is shared is immutable.
public struct Broker: Sendable {
    /// What an operator decides.
    public struct Settings: Sendable {
        /// Where browsers reach this broker, without a trailing slash. The redirect address is under it.
        public var publicURL: StrictURL
        /// Never empty; the first is the default.
        public var frontendOrigins: [Origin]
        /// Seconds.
        public var stateLifetime: Int64
        /// Seconds.
        public var credentialKeyLifetime: Int64

        public init(
            publicURL: StrictURL, frontendOrigins: [Origin], stateLifetime: Int64 = 600,
            credentialKeyLifetime: Int64 = 300
        ) {
            self.publicURL = publicURL
            self.frontendOrigins = frontendOrigins
            self.stateLifetime = stateLifetime
            self.credentialKeyLifetime = credentialKeyLifetime
        }

        /// The redirect address that operators register at providers (RFC 6749 § 3.1.2).
        public var redirectURI: String { publicURL.text + "/oauth/callback" }
    }

    public let settings: Settings
    public let catalog: Catalog
    let clients: [String: Client]
    let keyRing: KeyRing
    let vault: Vault
    let secrets: FlowSecrets
    let store: any FlowStore
    let transport: any Transport
    let now: @Sendable () -> Timestamp
    let report: @Sendable (Event) -> Void

    /// - Parameters:
    ///   - clients: by source type or provider; the source type's own comes first.
    ///   - now: the clock.
    ///   - report: told what happens, on the way of the request: must not block.
    public init(
        settings: Settings, catalog: Catalog, clients: [String: Client], keyRing: KeyRing, store: any FlowStore,
        transport: any Transport, now: @escaping @Sendable () -> Timestamp,
        report: @escaping @Sendable (Event) -> Void = { _ in }
    ) {
        self.settings = settings
        self.catalog = catalog
        self.clients = clients
        self.keyRing = keyRing
        vault = Vault(keyRing: keyRing)
        secrets = FlowSecrets(keyRing: keyRing)
        self.store = store
        self.transport = transport
        self.now = now
        self.report = report
    }

    /// The client that a flow of this source type would use.
    public func client(for sourceType: SourceType) -> Client? {
        clients[sourceType.id.description] ?? clients[sourceType.provider]
    }

    // MARK: authorize

    /// Begins a flow.
    public func authorize(_ request: AuthorizeRequest) async throws(AuthorizeError) -> Authorization {
        guard let id = SourceType.ID(request.sourceType), let sourceType = catalog[id] else {
            throw .unknownSourceType
        }
        guard let profile = sourceType.oauth else { throw .withoutOAuth(id) }
        let values = try profile.values(request.parameters)
        let scopes = try profile.scopes(request.scopes)
        let frontendOrigin = try frontendOrigin(request.frontendOrigin)
        let returnURL = try returnURL(request.returnURL)
        let challenge = try exchangeChallenge(request.exchangeChallenge)
        guard let client = client(for: sourceType) else { throw .notConfigured(id) }

        let state = State.random()
        let flow = Flow(
            id: FlowID(of: state), tenant: request.tenant, sourceType: id, parameters: values, scopes: scopes,
            frontendOrigin: frontendOrigin, returnURL: returnURL, exchangeChallenge: challenge, key: keyRing.primary,
            expiresAt: now().adding(seconds: settings.stateLifetime))
        // The ring always has its own first key, and the values were tried above.
        guard let verifier = secrets.codeVerifier(of: state, key: flow.key),
            let url = profile.authorizationURL(
                client: client, redirectURI: settings.redirectURI, state: state, verifier: verifier, scopes: scopes,
                values: values)
        else { throw .notConfigured(id) }
        do {
            try await store.start(flow)
        } catch {
            throw .store(error)
        }
        report(Event(.flowStarted, flow.placement))
        return Authorization(url: url, flow: flow.id, expiresAt: flow.expiresAt, cutsOpener: profile.cutsOpener)
    }

    private func frontendOrigin(_ given: String?) throws(AuthorizeError) -> Origin {
        let origins = settings.frontendOrigins
        guard let given else {
            guard let first = origins.first else { throw .frontendOriginNotAllowed }
            return first
        }
        guard let origin = origins.first(where: { $0.description == given }) else { throw .frontendOriginNotAllowed }
        return origin
    }

    /// RFC 9700 § 4.11.1: only addresses that the operator named; compared by origin after strict parsing.
    private func returnURL(_ given: String?) throws(AuthorizeError) -> StrictURL? {
        guard let given else { return nil }
        guard let url = StrictURL(given) else { throw .returnURLMalformed }
        guard settings.frontendOrigins.contains(url.origin) else {
            throw .returnURLNotAllowed(origin: url.origin.description)
        }
        return url
    }

    private func exchangeChallenge(_ given: String?) throws(AuthorizeError) -> ProofKeyChallenge? {
        guard let given else { return nil }
        guard let challenge = ProofKeyChallenge(given) else { throw .exchangeChallengeMalformed }
        return challenge
    }

    // MARK: callback

    /// Takes a provider's redirect. The state is spent by it, whatever comes of it.
    public func callback(_ request: CallbackRequest) async -> CallbackResult {
        guard let state = request.state else { return .failed(.invalidState, nil) }
        let id = FlowID(of: state)
        let claimed: Flow?
        do {
            claimed = try await store.claim(id, isBound: isBound(request, id), at: now())
        } catch {
            return .failed(.store(error), nil)
        }
        guard let flow = claimed else { return .failed(.invalidState, nil) }
        // A closed tab must not stop what can only be done once: the code would be spent for nothing.
        let exchange = Task { () async -> Result<CredentialKey, CallbackError> in
            do throws(CallbackError) {
                return .success(try await self.exchange(request, state, flow))
            } catch {
                return .failure(error)
            }
        }
        switch await exchange.value {
        case .success(let key):
            report(Event(.flowSucceeded, flow.placement))
            return .succeeded(flow, key)
        case .failure(let error):
            report(Event(.flowFailed, flow.placement, code: error.code))
            // Where even this fails, the sweep ends the flow.
            try? await store.fail(flow.id, error: error.code, description: error.providerDescription)
            return .failed(error, flow)
        }
    }

    private func isBound(_ request: CallbackRequest, _ id: FlowID) -> Bool {
        guard let presented = request.presentedCookie(for: id) else { return false }
        return keyRing.ids.contains { secrets.bindingCookie(of: id, key: $0)?.matches(presented) == true }
    }

    private func exchange(
        _ request: CallbackRequest, _ state: State, _ flow: Flow
    ) async throws(CallbackError) -> CredentialKey {
        guard let sourceType = catalog[flow.sourceType], let profile = sourceType.oauth,
            let client = client(for: sourceType)
        else { throw .notConfigured(flow.sourceType) }
        let code = try Self.code(request, profile)
        guard let verifier = secrets.codeVerifier(of: state, key: flow.key) else { throw .invalidState }
        guard
            let tokenRequest = TokenRequest(
                exchange: code, of: flow, verifier: verifier, redirectURI: settings.redirectURI, at: profile,
                as: client)
        else { throw .notConfigured(flow.sourceType) }

        let response: ProviderResponse
        do {
            response = try await transport.send(tokenRequest.http)
        } catch {
            switch error {
            case .timedOut: throw .providerTimeout
            case .unreachable, .tlsFailed, .addressNotAllowed: throw .providerUnreachable(error)
            case .responseTooLarge, .malformedResponse: throw .providerRejected(error: nil)
            case .cancelled: throw .store(.closed)
            }
        }
        let tokens: TokenResponse
        do {
            tokens = try TokenResponse(response, shape: profile.response, now: now())
        } catch {
            guard case .refused(let code) = error else { throw .providerRejected(error: nil) }
            throw .providerRejected(error: code)
        }
        return try await keep(profile.credentials(tokens, callback: request, of: flow), flow)
    }

    /// The one code, once the answer is known to come from this provider and to be a good one.
    private static func code(
        _ request: CallbackRequest, _ profile: OAuthProfile
    ) throws(CallbackError) -> AuthorizationCode {
        // RFC 9207 § 2.4: compared as plain strings, for errors as well, before anything else is believed.
        if let issuer = profile.issuer {
            switch request["iss"] {
            case .one(issuer): break
            case .absent where !profile.requireIssuer: break
            case .absent, .repeated, .one: throw .issuerMismatch
            }
        }
        switch (request["error"], request["code"]) {
        case (.absent, .one(let code)): return AuthorizationCode(code)
        case (.one(let error), .absent):
            var description: String?
            if case .one(let text) = request["error_description"] { description = ProviderText.sentence(text) }
            throw .denied(error: ProviderText.code(error) ?? "access_denied", description: description)
        default: throw .invalidCallback
        }
    }

    private func keep(_ credentials: Credentials, _ flow: Flow) async throws(CallbackError) -> CredentialKey {
        guard let json = try? credentials.exposedJSON(sourceType: flow.sourceType) else {
            throw .providerRejected(error: nil)
        }
        let key = CredentialKey.make()
        let ticket = Ticket(
            keyDigest: key.digest,
            credentials: vault.seal(json, at: flow.placement, under: key),
            key: flow.exchangeChallenge == nil ? nil : vault.seal(key, at: flow.placement),
            expiresAt: now().adding(seconds: settings.credentialKeyLifetime))
        let kept: Bool
        do {
            kept = try await store.succeed(flow.id, with: ticket)
        } catch {
            throw .store(error)
        }
        guard kept else { throw .invalidState }
        return key
    }

    // MARK: redeem

    /// The credentials' JSON, once. `nil` for every kind of bad key, tenant or verifier alike.
    public func redeem(
        _ key: CredentialKey, for tenant: TenantID, verifier: ExchangeVerifier?
    ) async throws(RedeemError) -> SecretBytes? {
        let redemption = Redemption(
            keyDigest: key.digest, tenant: tenant, challenge: verifier.map { ProofKeyChallenge(of: $0) }, now: now())
        let outcome: Redemption.Outcome
        do {
            outcome = try await store.redeem(redemption)
        } catch {
            throw .store(error)
        }
        switch outcome {
        case .redeemed(let sealed, let placement):
            report(Event(.credentialKeyRedeemed, placement))
            do {
                return try vault.open(sealed, at: placement, under: key)
            } catch {
                throw .sealBroken(placement.flow, error)
            }
        case .reused(let placement):
            report(Event(.credentialKeyReused, placement))
            return nil
        case .refused:
            report(Event(.credentialKeyRefused, nil, tenant: tenant))
            return nil
        }
    }

    // MARK: the browser that began the flow

    /// The cookie that lets this browser's flow be asked for, if the caller began the flow.
    ///
    /// - Parameter frontendOrigin: where the page that opened the popup is, as the popup's page saw it.
    public func bindingCookie(
        for id: FlowID, verifier: ExchangeVerifier, frontendOrigin: String
    ) async throws(StoreError) -> BindingCookie? {
        guard let outcome = try await store.outcome(of: id), outcome.status == .started,
            now() < outcome.flow.expiresAt, outcome.flow.exchangeChallenge == ProofKeyChallenge(of: verifier),
            outcome.flow.frontendOrigin.description == frontendOrigin
        else { return nil }
        return secrets.bindingCookie(of: id, key: outcome.flow.key)
    }

    /// Where the pages of a flow may send their message.
    public func frontendOrigin(of id: FlowID) async throws(StoreError) -> Origin? {
        try await store.outcome(of: id)?.flow.frontendOrigin
    }

    /// What `assets:oauthFlow` tells.
    public enum Progress: Sendable {
        case pending
        /// Without a key where it was redeemed already.
        case succeeded(CredentialKey?)
        case failed(error: String, description: String?)
    }

    /// How a flow ended, for whoever has the verifier, if the callback came from the browser that began it.
    /// Everything else is `pending`.
    public func progress(
        of id: FlowID, for tenant: TenantID, verifier: ExchangeVerifier
    ) async throws(StoreError) -> Progress {
        guard let outcome = try await store.outcome(of: id), outcome.flow.tenant == tenant, outcome.isBound,
            outcome.flow.exchangeChallenge == ProofKeyChallenge(of: verifier), now() < outcome.expiresAt
        else { return .pending }
        switch outcome.status {
        case .started, .exchanging: return .pending
        case .failed: return .failed(error: outcome.error ?? "invalid_state", description: outcome.errorDescription)
        case .redeemed: return .succeeded(nil)
        case .succeeded:
            guard let sealed = outcome.key, let key = try? vault.open(sealed, at: outcome.flow.placement) else {
                return .pending
            }
            return .succeeded(key)
        }
    }

    // MARK: upkeep

    /// Deletes what has expired, in batches small enough to let requests through.
    public func sweep() async throws(StoreError) {
        while try await store.sweep(at: now(), limit: 500) {}
    }

    /// Throws unless flows could be kept and sealed now.
    public func check() async throws(StoreError) {
        try await store.check()
    }
}

/// Why a sound key gave nothing.
public enum RedeemError: Error, Equatable, Sendable {
    case store(StoreError)
    /// The master key that the credentials need is gone from the ring, or the row was altered. They are lost.
    case sealBroken(FlowID, OpenError)
}
