public import Catalog
import Formats
public import Secrets
public import Transport

/// A request to the redirect address: untrusted, whoever brought it.
public struct CallbackRequest: Sendable {
    let pairs: [FormPair]
    /// The address that it came to.
    let redirect: RedirectPath
    /// The cookie of a flow, as the browser sent it.
    private let cookie: @Sendable (FlowID) -> BindingCookie?
    let requester: Requester

    /// - Parameter query: the query or the form body, still encoded, and in the bytes that came: nothing may have been
    ///   repaired in it before it is known what depends on it.
    public init(
        _ query: some Sequence<UInt8>, at redirect: RedirectPath, by requester: Requester = .unknown,
        cookie: @escaping @Sendable (FlowID) -> BindingCookie? = { _ in nil }
    ) {
        pairs = Percent.repairedPairs(Array(query))
        self.redirect = redirect
        self.requester = requester
        self.cookie = cookie
    }

    /// RFC 6749 § 3.1: a parameter must not come twice.
    enum Member {
        case absent
        case repeated
        case one(String)
        /// It came once, and some of its bytes mean nothing: nothing may depend on it. With what they may mean.
        case garbled(String)
    }

    subscript(name: String) -> Member {
        var found: FormPair?
        for pair in pairs where pair.name.isExactly(name) {
            guard found == nil else { return .repeated }
            found = pair
        }
        guard let found, !found.value.isEmpty else { return .absent }
        return found.isSound ? .one(found.value) : .garbled(found.value)
    }

    /// The first value under a name that has one, for people to read: however often it came, and repaired.
    func words(_ names: [String]) -> String? {
        for name in names {
            if let pair = pairs.first(where: { $0.name.isExactly(name) && !$0.value.isEmpty }) { return pair.value }
        }
        return nil
    }

    /// The state, if it has the shape of ours: 43 characters of base64url.
    var state: State? {
        guard case .one(let text) = self["state"], text.utf8.count == 43, Base64URL.decode(text) != nil else {
            return nil
        }
        return State(text)
    }

    /// Words for the trail where `iss` came and nothing here says which it should be: a catalog entry may then get its
    /// `issuer`.
    func remark(on profile: OAuthProfile?) -> String? {
        guard let profile, profile.issuer == nil, let issuer = words(["iss"]) else { return nil }
        return "iss \"\(ProviderText.sentence(issuer))\" was not expected"
    }

    /// Tells whether `signature` is the hex HMAC-SHA-256 over all other parameters, sorted by name.
    func isSigned(_ signature: String, leavingOut name: String, with secret: ClientSecret) -> Bool {
        // A value cannot pass for a separator: % and & are escaped, and = in names.
        let signed = pairs.filter { !$0.name.isExactly(name) }.map(\.bytes)
            .map { Self.escaped($0.name, "%&=".utf8) + [UInt8(ascii: "=")] + Self.escaped($0.value, "%&".utf8) }
            .sorted { $0.lexicographicallyPrecedes($1) }.joined(separator: [UInt8(ascii: "&")])
        let key = secret.expose { SecretBytes(Array($0.utf8)) }
        let expected = HMACSHA256.code(of: Array(signed), key: key)
            .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return constantTimeEqual(Array(expected.utf8), Array(signature.lowercased().utf8))
    }

    private static func escaped(_ text: [UInt8], _ special: String.UTF8View) -> [UInt8] {
        text.flatMap { special.contains($0) ? Array(Percent.encode(String(Unicode.Scalar($0))).utf8) : [$0] }
    }

    func presentedCookie(for flow: FlowID) -> BindingCookie? { cookie(flow) }
}

/// The end of a callback.
public enum CallbackResult: Sendable {
    case succeeded(Flow, CredentialKey)
    /// `nil` where the state was not sound, so that nobody is known who could be told.
    case failed(CallbackFailure, Flow?)
}

/// A reason for which a callback gave no credentials.
public enum CallbackError: Error, Equatable, Sendable {
    /// Missing, repeated, tampered, expired, replayed or revoked: one case, so that nobody can tell them apart.
    case invalidState
    /// The provider redirected with an error (RFC 6749 § 4.1.2.1). Both are the provider's words, cut short.
    case denied(error: String, description: String?)
    /// No code, or not exactly one, or a code beside an error.
    case invalidCallback
    /// RFC 9207 § 2.4.
    case issuerMismatch
    /// The token endpoint refused or answered with something else than tokens.
    case providerRejected(error: String?)
    case providerUnreachable(TransportError)
    case providerTimeout
    /// The catalog or the clients changed since the flow began.
    case notConfigured(SourceType.ID)
    case store(StoreError)

    init(_ error: ProviderError) {
        switch error {
        case .rejected(let code, _, _): self = .providerRejected(error: code)
        case .unreachable(let error, _): self = .providerUnreachable(error)
        case .timedOut: self = .providerTimeout
        // Flows are never refused so.
        case .closed, .rateLimited: self = .store(.closed)
        }
    }

    /// The stable name of this failure, for problems, pages, messages and the audit trail.
    public var code: String {
        switch self {
        case .invalidState: "invalid_state"
        case .denied(let error, _): error
        case .invalidCallback: "invalid_callback"
        case .issuerMismatch: "issuer_mismatch"
        case .providerRejected: "provider_rejected"
        case .providerUnreachable: "provider_unreachable"
        case .providerTimeout: "provider_timeout"
        case .notConfigured: "source_type_not_configured"
        case .store: "unavailable"
        }
    }

    /// The provider's words, if it said anything.
    public var providerDescription: String? {
        if case .denied(_, let description) = self { description } else { nil }
    }
}
