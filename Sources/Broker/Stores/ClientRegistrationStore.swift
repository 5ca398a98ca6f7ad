public import Formats
public import Secrets

/// Keeps the clients that the broker registered by itself (RFC 7591).
public protocol ClientRegistrationStore: Sendable {
    /// The registration for an authorization server and a redirect address; `nil` where none is kept.
    func registration(issuer: String, redirectURI: String) async throws(StoreError) -> KeptRegistration?

    /// Keeps a registration where `old` is the one that is kept (`nil`: none is), else changes nothing. Gives the one
    /// that is kept then: of several brokers at once, all get the same.
    func keepRegistration(
        _ registration: KeptRegistration, replacing old: Sealed<ClientRegistration>?
    ) async throws(StoreError) -> KeptRegistration

    /// Sets `usedAt` of this registration, unless another one has taken its place.
    func noteUse(of registration: KeptRegistration, at now: Timestamp) async throws(StoreError)

    /// Deletes all that were used at this moment or before, and not after. May look at every one.
    func forgetRegistrations(unusedSince moment: Timestamp) async throws(StoreError)

    /// Seals all registrations again, in one transaction: the result of `again` replaces its argument's, `nil` leaves
    /// it. Gives the number replaced. There is one for each authorization server in use, and one more for each tenant
    /// that has a client for itself there.
    func resealRegistrations(
        sealing again: @escaping @Sendable (KeptRegistration) -> Sealed<ClientRegistration>?
    ) async throws(StoreError) -> Int
}

/// A registration as a store keeps it.
public struct KeptRegistration: Sendable, Equatable {
    /// The authorization server's issuer, compared byte for byte.
    public let issuer: String
    /// The redirect address that it was registered with.
    public let redirectURI: String
    /// Opens for this issuer and redirect address alone.
    public let sealed: Sealed<ClientRegistration>
    /// The moment at which the server was asked for it, or of a later use: to a month.
    public let usedAt: Timestamp

    /// For the broker and for stores.
    public init(issuer: String, redirectURI: String, sealed: Sealed<ClientRegistration>, usedAt: Timestamp) {
        self.issuer = issuer
        self.redirectURI = redirectURI
        self.sealed = sealed
        self.usedAt = usedAt
    }
}
