public import Catalog
public import Formats

/// A call of `assets:authorize`, unchecked but for its caller's token.
public struct AuthorizeRequest: Sendable {
    /// The path's tenant, for which the caller's token was accepted.
    public var tenant: TenantID
    /// The source type's name as the caller gave it.
    public var sourceType: String
    /// Values of the source type's parameters, by name.
    public var parameters: [String: String]
    /// The scopes to ask for; `nil`: the client's, else the source type's own.
    public var scopes: [String]?
    /// The address to redirect to at the end; `nil`: a popup ends at the broker's own page.
    public var returnURL: String?
    /// The S256 challenge (RFC 7636 § 4.2) that redemption then needs the verifier of; `nil`: none.
    public var exchangeChallenge: String?
    /// The call's `Origin` header or else its member `frontendOrigin`; `nil`: the tenant's first that is configured.
    public var frontendOrigin: String?
    /// Goes along as `login_hint`, and is not kept.
    public var loginHint: String?
    /// Goes along as `prompt`.
    public var prompt: String?
    /// The caller, for the audit trail.
    public var requester: Requester

    /// Checks nothing: `Broker.authorize` does.
    public init(
        tenant: TenantID, sourceType: String, parameters: [String: String] = [:], scopes: [String]? = nil,
        returnURL: String? = nil, exchangeChallenge: String? = nil, frontendOrigin: String? = nil,
        loginHint: String? = nil, prompt: String? = nil, requester: Requester = .unknown
    ) {
        self.tenant = tenant
        self.sourceType = sourceType
        self.parameters = parameters
        self.scopes = scopes
        self.returnURL = returnURL
        self.exchangeChallenge = exchangeChallenge
        self.frontendOrigin = frontendOrigin
        self.loginHint = loginHint
        self.prompt = prompt
        self.requester = requester
    }
}

/// The answer to `assets:authorize`, with which a frontend opens the provider's page.
public struct Authorization: Sendable {
    /// The address to open in the browser that began the flow.
    public let url: AuthorizationURL
    /// The flow's id, by which `assets:oauthFlow`, messages and the audit trail name it.
    public let flow: FlowID
    /// The moment after which the flow's callback is refused.
    public let expiresAt: Timestamp
    /// True where the provider's pages cut a popup off from its opener (`Cross-Origin-Opener-Policy`), so that the
    /// popup looks closed: the frontend then waits for `assets:oauthFlow`.
    public let cutsOpener: Bool
}

/// A reason for which no flow began.
public enum AuthorizeError: Error, Equatable, Sendable {
    /// The catalog has no such source type.
    case unknownSourceType
    /// The source type has nothing to connect by OAuth.
    case withoutOAuth(SourceType.ID)
    /// Neither the tenant nor the installation has a client for it.
    case notConfigured(SourceType.ID)
    /// The source type has no such parameter; `known` are those that callers may set.
    case parameterUnknown(name: String, known: [String])
    /// A required parameter without a default was not given.
    case parameterMissing(name: String)
    /// The value does not match the catalog's pattern, or does not fit into its place in an address.
    case parameterRejected(name: String, pattern: String)
    /// Only the operator sets it, since it decides which host is sent the client's secret.
    case parameterIsTheOperators(name: String)
    /// The parameter is no address of a server: no https, or with a fragment or user information.
    case serverMalformed(name: String)
    /// The parameter names a server that the operator did not open (`mcp.servers`).
    case serverNotAllowed(name: String)
    /// Only the operator can set it, and has not.
    case parameterNotSetByOperator(name: String)
    /// All values and names together have more than 4096 bytes.
    case parametersTooLong
    /// A scope is malformed (RFC 6749 § 3.3) or has the separator in it, or they are too many or too long.
    case scopesMalformed
    /// It is no absolute address, or has a fragment or user information.
    case returnURLMalformed
    /// The operator did not allow it for this tenant.
    case returnURLNotAllowed
    /// A return address needs an exchange challenge (RFC 9700 § 4.7).
    case returnURLWithoutChallenge
    /// The frontend origin is not on the tenant's list, or none was given and the list has no exact one.
    case frontendOriginNotAllowed
    /// It is not 43 characters of base64url.
    case exchangeChallengeMalformed
    /// The source type's provider is not known to take it.
    case hintsNotTaken(member: String)
    case hintMalformed(member: String)
    /// The tenant has as many flows outstanding as it may.
    case tenantHasTooManyFlows
    /// All tenants together have as many flows outstanding as they may.
    case tooManyFlows
    /// The tenant caused as many registrations at authorization servers (RFC 7591) as it may in an hour; seconds are left
    /// of it.
    case tooManyRegistrations(retryAfter: Int)
    /// Discovery or a pushed authorization request failed.
    case provider(ProviderError)
    /// The flow or the tenant's clients could not be read or kept.
    case store(StoreError)
}
