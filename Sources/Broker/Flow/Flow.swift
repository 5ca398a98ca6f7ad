public import Catalog
public import Formats
public import Secrets

/// One attempt to connect one source: it lives from `authorize` to redemption, and the audit trail follows it.
///
/// Holds no secret: those that are needed again are derived from `state` and the master key `key`.
public struct Flow: Sendable {
    /// The steps of a flow, in this order. The raw values are in the database.
    public enum Status: Int, Sendable {
        /// Waits for its callback.
        case started = 0
        /// Its state is spent, and the provider is being asked.
        case exchanging = 1
        /// A credential key waits to be redeemed, or has expired.
        case succeeded = 2
        /// Ended without a credential key, or was revoked.
        case failed = 3
        /// Its credentials were handed out.
        case redeemed = 4

        /// True while it has not ended.
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

    /// The id, made from its state.
    public let id: FlowID
    /// The tenant that began it, and alone may redeem.
    public let tenant: TenantID
    /// The source type to connect.
    public let sourceType: SourceType.ID
    /// The values of the address placeholders: the caller's and the operator's, defaults filled in.
    public let parameters: [String: String]
    /// The scopes that were asked for, those always added included.
    public let scopes: [String]
    /// The only origin that this flow's pages send messages to.
    public let frontendOrigin: Origin
    /// The address to send the browser to at the end; `nil`: it ends at the broker's own page.
    public let returnURL: ReturnURL?
    /// Binds the credential key to the one who began the flow: redemption needs its verifier. `nil`: it needs none.
    public let exchangeChallenge: CodeChallenge?
    /// The one address that its callback may come to.
    public let redirect: RedirectPath
    /// The `client_id` of the client that asked for the code, and alone may exchange it.
    public let clientID: String
    /// The master key that the flow's derived secrets come from.
    public let key: KeyRing.KeyID
    /// The moment of `authorize`.
    public let startedAt: Timestamp
    /// The end of its state, after which no callback is taken.
    public let expiresAt: Timestamp

    /// For `Broker.authorize`, which has checked the values, and for stores.
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
    /// The digest by which a presented key is looked up.
    public let keyDigest: Digest
    /// The answer to the redemption, sealed under the key and the first master key.
    public let credentials: Sealed<Credentials>
    /// The key itself, sealed under the flow's outcome secret; `nil` unless `assets:oauthFlow` may tell it.
    public let key: Sealed<CredentialKey>?
    /// The token to revoke at the provider where an operator orders it, under a key of this process alone; `nil` where
    /// the provider revokes none of what it granted.
    public let revocation: Sealed<UnredeemedToken>?
    /// The moment of the callback's exchange.
    public let createdAt: Timestamp
    /// The moment from which the key is refused.
    public let expiresAt: Timestamp

    /// For `Broker.callback` and stores; checks nothing.
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

/// The state of a flow as a store has it, for those who wait for its end.
public struct FlowOutcome: Sendable {
    /// The flow, as it was begun.
    public let flow: Flow
    /// The flow's step; `failed` once it was revoked.
    public let status: Flow.Status
    /// True if the callback came from the browser in which the flow began.
    public let isBound: Bool
    /// The broker's knowledge of how the end got to the page that began the flow.
    public let delivery: Flow.Delivery
    /// The key, sealed under the flow's outcome secret; `nil` where none waits or the flow is not bound.
    public let key: Sealed<CredentialKey>?
    /// The moment at which the key (or, before there is one, the flow) expires.
    public let expiresAt: Timestamp
    /// The failure's `CallbackError.code`, or `expired`; `nil` unless it failed.
    public let error: String?
    /// The provider's words on it, cut short; `nil` where it said nothing.
    public let errorDescription: String?

    /// For stores.
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
