public import Catalog
public import Formats

/// A call of `assets:authorize`, as it came.
public struct AuthorizeRequest: Sendable {
    public var tenant: TenantID
    public var sourceType: String
    public var parameters: [String: String]
    /// `nil`: the source type's own.
    public var scopes: [String]?
    public var returnURL: String?
    public var exchangeChallenge: String?
    /// The call's `Origin` header or else its member `frontendOrigin`; `nil`: the tenant's first that is configured.
    public var frontendOrigin: String?
    /// Goes along as `login_hint`, and is not kept.
    public var loginHint: String?
    /// Goes along as `prompt`.
    public var prompt: String?
    public var requester: Requester

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

/// The answer from which a frontend begins a flow.
public struct Authorization: Sendable {
    public let url: AuthorizationURL
    public let flow: FlowID
    public let expiresAt: Timestamp
    public let cutsOpener: Bool
}

/// A reason for which no flow began.
public enum AuthorizeError: Error, Equatable, Sendable {
    case unknownSourceType
    case withoutOAuth(SourceType.ID)
    case notConfigured(SourceType.ID)
    case parameterUnknown(name: String, known: [String])
    case parameterMissing(name: String)
    case parameterRejected(name: String, pattern: String)
    /// It decides who is sent the client's secret, so callers do not give it.
    case parameterIsTheOperators(name: String)
    /// Only the operator can set it, and has not.
    case parameterNotSetByOperator(name: String)
    /// All of them together.
    case parametersTooLong
    case scopesMalformed
    case returnURLMalformed
    case returnURLNotAllowed
    /// It needs an exchange challenge.
    case returnURLWithoutChallenge
    case frontendOriginNotAllowed
    case exchangeChallengeMalformed
    /// The source type's provider is not known to take it.
    case hintsNotTaken(member: String)
    case hintMalformed(member: String)
    /// The tenant has as many flows outstanding as it may.
    case tenantHasTooManyFlows
    /// All tenants together have.
    case tooManyFlows
    /// Discovery or a pushed authorization request failed.
    case provider(ProviderError)
    case store(StoreError)
}
