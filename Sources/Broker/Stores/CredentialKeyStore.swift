public import Formats
public import Secrets

/// Keeps credential keys until they are redeemed, revoked or expired.
public protocol CredentialKeyStore: Sendable {
    /// Takes the credential key with this key: of all calls for one key, exactly one gets it. What `open` cannot open
    /// is not taken, and told as unreadable: the master key that it needs may come back.
    ///
    /// All others take the same way and time. The event of a failure follows within a second, as far as there is room
    /// for it: the first ten of a spent or unreadable key, and refusals within a budget.
    ///
    /// - Parameter open: called in the store's transaction; may be called more than once.
    func redeem(
        _ redemption: Redemption, opening open: @escaping Redemption.Opening
    ) async throws(StoreError) -> Redemption.Outcome

    /// Tells whether the credential key with this digest was redeemed, or told to the page that began its flow. Changes
    /// nothing.
    func isTaken(_ keyDigest: Digest) async throws(StoreError) -> Bool

    /// Credential keys that wait at `now`, oldest first, after `position`.
    func credentialKeys(
        _ selection: Selection, at now: Timestamp, after position: CredentialKeyPosition?, limit: Int
    ) async throws(StoreError) -> CredentialKeyPage

    /// From now on, every flow of the selection that was started before is refused, and its credential key too: by the store's
    /// own order, whatever clocks say. Its place in that order.
    func revokeFlows(
        _ selection: Selection, at time: Timestamp, recording event: Event
    ) async throws(StoreError) -> RevocationNumber

    /// Destroys the selection's credential keys of flows that were started before the revocation, expired ones as well; looks
    /// at no more than `limit` credential keys after `position`. The place to go on from, or `nil` at the end.
    func destroyCredentialKeys(
        _ selection: Selection, startedBefore revocation: RevocationNumber, after position: CredentialKeyPosition?,
        limit: Int, by requester: Requester, at now: Timestamp
    ) async throws(StoreError) -> (destroyed: [DestroyedCredentialKey], position: CredentialKeyPosition?)
}

/// An attempt to redeem: every condition that the store's one statement has.
public struct Redemption: Sendable {
    public let keyDigest: Digest
    public let tenant: TenantID
    /// Made from the presented verifier; matters only where the flow began with a challenge.
    public let challenge: CodeChallenge?
    public let now: Timestamp
    public let requester: Requester

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

    /// Opens what a store keeps. A store hands the result through, and looks at nothing of it.
    public typealias Opening = @Sendable (Sealed<Credentials>, Placement) throws(OpenError) -> SecretBytes

    public enum Outcome: Sendable {
        case redeemed(SecretBytes, Placement)
        /// No master key opens it. It stays, for as long as it would.
        case unreadable(Placement, OpenError, sealedUnder: KeyRing.KeyID?)
        /// The key was right once and is spent: an alarm.
        case reused(Placement)
        /// Everything else: one case for all, so that nobody can tell them apart.
        case refused
    }

    /// The event that tells of an outcome.
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
