public import Catalog
import Formats
public import Secrets
public import Transport

/// A request to a redirect address: untrusted, whoever brought it.
public final class CallbackRequest: Sendable {
    let pairs: [FormPair]
    /// The address that it came to.
    let redirect: RedirectPath
    /// The cookie of a flow, as the browser sent it.
    private let cookie: @Sendable (FlowID) -> BindingCookie?
    let requester: Requester

    /// Reads the parameters, also those that cannot be decoded.
    ///
    /// - Parameters:
    ///   - query: the query or the form body, still encoded, and in the bytes that came: nothing may have been repaired
    ///     in it before it is known what depends on it.
    ///   - redirect: the path that the request came to, as `RedirectPath(received:)` reads it.
    ///   - requester: the browser, for the audit trail.
    ///   - cookie: gives the binding cookie of a flow, if the browser sent one.
    public init(
        _ query: some Sequence<UInt8>, at redirect: RedirectPath, by requester: Requester = .unknown,
        cookie: @escaping @Sendable (FlowID) -> BindingCookie? = { _ in nil }
    ) {
        pairs = Percent.repairedPairs(Array(query))
        self.redirect = redirect
        self.requester = requester
        self.cookie = cookie
    }

    /// A parameter, which must not come twice (RFC 6749 § 3.1).
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

    /// The state, if it has the form of the broker's own: 43 characters of base64url.
    var state: State? {
        guard case .one(let text) = self["state"], text.utf8.count == 43, Base64URL.decode(text) != nil else {
            return nil
        }
        return State(text)
    }

    /// A remark for the audit trail where `iss` came though the catalog names no issuer: the entry may then get its
    /// `issuer`.
    func remark(on profile: OAuthProfile?) -> Reason? {
        guard let profile, profile.issuer == nil, let issuer = words(["iss"]) else { return nil }
        return "iss \(quoted: hidden.redacted(issuer: issuer)) was not expected"
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
        text.reduce(into: []) { escaped, byte in
            if special.contains(byte) {
                escaped += Percent.encode(String(Unicode.Scalar(byte))).utf8
            } else {
                escaped.append(byte)
            }
        }
    }

    func presentedCookie(for flow: FlowID) -> BindingCookie? { cookie(flow) }
}

extension CallbackRequest: Redacted {}

/// The end of a callback, for the page or redirect that answers it.
public enum CallbackResult: Sendable {
    /// The key redeems the flow's credentials, once.
    case succeeded(Flow, CredentialKey)
    /// The flow is `nil` where the state was not sound, so that no frontend is known that could be told.
    case failed(CallbackFailure, Flow?)
}

/// A reason for which a callback gave no credentials, as browsers and frontends may know it.
public enum CallbackError: Error, Equatable, Sendable {
    /// The state is missing, repeated, tampered with, expired, replayed or revoked, or the flow's client changed: one
    /// case, so that nobody can tell them apart.
    case invalidState
    /// The provider redirected with an error (RFC 6749 § 4.1.2.1). Both are the provider's words, cut short and without
    /// secrets; `access_denied` stands for an error that is no code, or one of the broker's own.
    case denied(error: String, description: String?)
    /// No code, or not exactly one, or a code beside an error, or a wrong signature.
    case invalidCallback
    /// `iss` is another issuer's, or is missing where it must come (RFC 9207 § 2.4).
    case issuerMismatch
    /// The token endpoint refused, or answered with something else than tokens; `error` is its code, if it was sane.
    case providerRejected(error: String?)
    /// An endpoint could not be reached: the connection, TLS or its address failed.
    case providerUnreachable(TransportError)
    /// An endpoint did not answer within the deadline.
    case providerTimeout
    /// The source type is gone from the catalog since the flow began, or has no token endpoint.
    case notConfigured(SourceType.ID)
    /// The store failed, or the broker stops.
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

    /// The code of a denial in which the provider named `code`, if it named one.
    ///
    /// A provider that sends a code of the broker's own, or of `connect.js`, would speak in its name: pages, frontends
    /// and alarms would take a refusal for a forged state or a store that failed.
    static func denial(_ code: String?) -> String {
        guard let code, !ownCodes.contains(code.lowercased()) else { return "access_denied" }
        return code
    }

    /// The names that failures have at the broker and in `connect.js` (Docs/Contract.md#codes), but for those that
    /// RFC 6749 § 4.1.2.1 has as well.
    package static let ownCodes: Set = [
        "body_too_large", "insufficient_scope", "internal_error", "invalid_callback", "invalid_credential_key",
        "invalid_parameter", "invalid_state", "invalid_token", "issuer_mismatch", "method_not_allowed", "not_found",
        "provider_rejected", "provider_timeout", "provider_unreachable", "rate_limited", "reauthorization_required",
        "revocation_unsupported", "source_type_not_configured", "source_type_without_oauth", "unavailable",
        "unknown_source_type", "unsupported_media_type", "wrong_tenant",
        "expired", "provider_error", "revoked", "token_unreadable",
        "aborted", "broker_unknown", "foreign_flow", "insecure_context", "invalid_authorization_url", "network_error",
        "popup_blocked", "popup_closed", "storage_unavailable", "timeout", "unexpected_response",
    ]

    /// The stable name of this failure, for problems, pages, messages and the audit trail (Docs/Contract.md#codes). A
    /// provider's own error code where it denied.
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

    /// The provider's `error_description`, cut short; `nil` unless it denied and said something.
    public var providerDescription: String? {
        if case .denied(_, let description) = self { description } else { nil }
    }
}
