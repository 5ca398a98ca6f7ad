public import Catalog
public import Formats
public import Secrets

/// One attempt to connect one source: it lives from `authorize` to redemption and is the spine of the audit trail.
///
/// Holds no secret. What is needed again comes from `state` and the master key `key`.
public struct Flow: Sendable {
    public enum Status: Int, Sendable {
        /// Waits for its callback.
        case started = 0
        /// Its state is spent; the provider is being asked.
        case exchanging = 1
        /// A credential key waits to be redeemed.
        case succeeded = 2
        case failed = 3
        case redeemed = 4

        /// It has not ended yet.
        public var isOpen: Bool { self == .started || self == .exchanging }
    }

    /// The broker's knowledge of how a flow's end got to the page that began it.
    public enum Delivery: Int, Sendable {
        /// Nothing is known: messages between windows pass the broker by.
        case unknown = 0
        /// The page asked for the outcome, and was given the credential key.
        case told = 1
        /// The browser that began the flow brought its callback in vain: another browser had, or the flow was expired or
        /// revoked. No credential key will ever get to the page.
        case lost = 2
    }

    public let id: FlowID
    public let tenant: TenantID
    public let sourceType: SourceType.ID
    /// The values of the address placeholders: the caller's, defaults filled in.
    public let parameters: [String: String]
    /// The scopes that were asked for.
    public let scopes: [String]
    /// The only origin that this flow's pages talk to.
    public let frontendOrigin: Origin
    /// The address to send the browser to at the end, instead of our own page.
    public let returnURL: ReturnURL?
    /// Binds the credential key to who began the flow.
    public let exchangeChallenge: CodeChallenge?
    /// The one address that its callback may come to.
    public let redirect: RedirectPath
    /// The client that asked for the code, and alone may trade it.
    public let clientID: String
    /// The master key that the flow's derived secrets come from.
    public let key: KeyRing.KeyID
    public let startedAt: Timestamp
    public let expiresAt: Timestamp

    public init(
        id: FlowID, tenant: TenantID, sourceType: SourceType.ID, parameters: [String: String], scopes: [String],
        frontendOrigin: Origin, returnURL: ReturnURL?, exchangeChallenge: CodeChallenge?, redirect: RedirectPath,
        clientID: String, key: KeyRing.KeyID, startedAt: Timestamp, expiresAt: Timestamp
    ) {
        self.id = id
        self.tenant = tenant
        self.sourceType = sourceType
        self.parameters = parameters
        self.scopes = scopes
        self.frontendOrigin = frontendOrigin
        self.returnURL = returnURL
        self.exchangeChallenge = exchangeChallenge
        self.redirect = redirect
        self.clientID = clientID
        self.key = key
        self.startedAt = startedAt
        self.expiresAt = expiresAt
    }

    /// The place that this flow's credentials belong to.
    public var placement: Placement { Placement(tenant: tenant, sourceType: sourceType, flow: id) }
}

/// A credential key as a store keeps it: nothing here opens without the key itself or the exchange verifier.
public struct StoredCredentialKey: Sendable {
    public let keyDigest: Digest
    public let credentials: Sealed<Credentials>
    /// The key itself under the flow's outcome secret, only where `assets:oauthFlow` may tell it.
    public let key: Sealed<CredentialKey>?
    /// The token to take back at the provider, for an operator's revocation; under a key of this process alone.
    public let revocation: Sealed<UnredeemedToken>?
    public let createdAt: Timestamp
    public let expiresAt: Timestamp

    public init(
        keyDigest: Digest, credentials: Sealed<Credentials>, key: Sealed<CredentialKey>?,
        revocation: Sealed<UnredeemedToken>? = nil, createdAt: Timestamp, expiresAt: Timestamp
    ) {
        self.keyDigest = keyDigest
        self.credentials = credentials
        self.key = key
        self.revocation = revocation
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}

/// The end of a flow, for whoever began it and waits.
public struct FlowOutcome: Sendable {
    public let flow: Flow
    public let status: Flow.Status
    /// The callback came from the browser in which the flow began.
    public let isBound: Bool
    public let delivery: Flow.Delivery
    public let key: Sealed<CredentialKey>?
    /// The time at which the key (or, before there is one, the flow) expires.
    public let expiresAt: Timestamp
    public let error: String?
    public let errorDescription: String?

    public init(
        flow: Flow, status: Flow.Status, isBound: Bool, delivery: Flow.Delivery, key: Sealed<CredentialKey>?,
        expiresAt: Timestamp, error: String?, errorDescription: String?
    ) {
        self.flow = flow
        self.status = status
        self.isBound = isBound
        self.delivery = delivery
        self.key = key
        self.expiresAt = expiresAt
        self.error = error
        self.errorDescription = errorDescription
    }
}
