public import Formats
public import Secrets

/// Keeps credential keys until they are redeemed, revoked or expired.
public protocol CredentialKeyStore: Sendable {
    /// Takes the credentials with this key: of all calls for one key, exactly one gets them. What `open` cannot open is
    /// not taken, and the outcome is `unreadable`: the master key that it needs may come back.
    ///
    /// `reused` and `refused` take the same way and time. The event of a failure follows within a second, as far as
    /// there is room for it: the first ten of a spent or unreadable key, and refusals within a budget.
    ///
    /// - Parameter open: called in the store's transaction; may be called more than once.
    func redeem(
        _ redemption: Redemption, opening open: @escaping Redemption.Opening
    ) async throws(StoreError) -> Redemption.Outcome

    /// Tells whether the credential key with this digest was redeemed, or told to the page that began its flow. Changes
    /// nothing.
    func isTaken(_ keyDigest: Digest) async throws(StoreError) -> Bool

    /// The credential keys of the selection that wait at `now`, oldest first, after `position`, `limit` at most.
    func credentialKeys(
        _ selection: Selection, at now: Timestamp, after position: CredentialKeyPosition?, limit: Int
    ) async throws(StoreError) -> CredentialKeyPage

    /// From now on, every flow of the selection that was started before is refused, and its credential key too: by the store's
    /// own order, whatever clocks say. Its place in that order. Nobody gets what was answered to a refresh of the
    /// selection any more, unless it is one flow: nobody has redeemed that one's tokens.
    func revokeFlows(
        _ selection: Selection, at time: Timestamp, recording event: Event
    ) async throws(StoreError) -> RevocationNumber

    /// Destroys the selection's credential keys of flows that were started before the revocation, expired ones as well,
    /// and records an event for each. Looks at no more than `limit` keys after `position`; gives the place to go on
    /// from, or `nil` at the end.
    func destroyCredentialKeys(
        _ selection: Selection, startedBefore revocation: RevocationNumber, after position: CredentialKeyPosition?,
        limit: Int, by requester: Requester, at now: Timestamp
    ) async throws(StoreError) -> (destroyed: [DestroyedCredentialKey], position: CredentialKeyPosition?)
}

/// An attempt to redeem, with every condition that the store checks.
public struct Redemption: Sendable {
    /// The digest of the presented key, be it a key or not.
    public let keyDigest: Digest
    /// The tenant in whose name it is presented; nobody vouches for it.
    public let tenant: TenantID
    /// The challenge made from the presented verifier; `nil` where none was presented. It matters only where the flow
    /// began with one.
    public let challenge: CodeChallenge?
    /// The moment by the broker's clock, against which the key's expiry is held.
    public let now: Timestamp
    /// The redeemer, for the audit trail and the budget of refusals.
    public let requester: Requester

    /// Checks nothing: the store compares.
    public init(
        keyDigest: Digest, tenant: TenantID, challenge: CodeChallenge?, now: Timestamp,
        requester: Requester = .unknown
    ) {
        self.keyDigest = keyDigest
        self.tenant = tenant
        self.challenge = challenge
        self.now = now
        self.requester = requester
    }

    /// Opens sealed credentials. The store passes the result on, and does not look at it.
    public typealias Opening = @Sendable (Sealed<Credentials>, Placement) throws(OpenError) -> SecretBytes

    /// The outcome of an attempt. Callers cannot tell `reused` from `refused`.
    public enum Outcome: Sendable {
        /// The credentials' JSON. The key is spent.
        case redeemed(SecretBytes, Placement)
        /// No master key opens the credentials. They stay for as long as they would otherwise.
        case unreadable(Placement, OpenError, sealedUnder: KeyRing.KeyID?)
        /// The key was right once and is spent: an alarm.
        case reused(Placement)
        /// Every other failure: one case for all, so that nobody can tell them apart.
        case refused
    }

    /// The event that reports an outcome. Made by the store in its transaction, and by the broker for its log.
    public func event(_ outcome: Outcome) -> Event {
        switch outcome {
        case .redeemed(_, let placement): Event(.credentialKeyRedeemed, at: now, by: requester, placement)
        case .unreadable(let placement, let error, let key):
            Event(
                .credentialKeyUnreadable, at: now, by: requester, placement, detail: error.reason(key).description)
        case .reused(let placement): Event(.credentialKeyReused, at: now, by: requester, placement)
        case .refused: Event(.credentialKeyRefused, at: now, by: requester, tenant: tenant)
        }
    }
}
