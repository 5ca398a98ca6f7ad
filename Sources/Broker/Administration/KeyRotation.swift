public import Secrets

/// A reason not to take over the keys of a master key file that changed. The old keys stay in use.
public enum KeyRefusal: Error, Equatable, Sendable {
    /// The database needs these keys, by name, and the file does not have them any more.
    case missing([String: MasterKeyUses])
    /// The file has a key of this name with other bytes than those that the database needs.
    case another(KeyRing.KeyID)
    /// The uses could not be read.
    case store(StoreError)
}

extension Broker {
    /// Takes over the keys of a master key file that changed, while flows run, if they open all that the store has.
    /// Tells whether they differ from those before.
    ///
    /// Keys that come in addition, or in another order, are taken without a look at the store, however long that would
    /// take: another broker may seal with a new one soon.
    public func replaceKeys(by ring: KeyRing) async throws(KeyRefusal) -> Bool {
        let new = Set(ring.ids)
        if keyRing.ids.allSatisfy({ new.contains($0) && !keyRing.differs(from: ring, at: $0) }) {
            return keyRing.replace(by: ring)
        }
        let uses: [String: MasterKeyUses]
        do {
            uses = try await store.masterKeyUses(at: now())
        } catch {
            throw .store(error)
        }
        let names = Set(ring.ids.map(\.description))
        let missing = uses.filter { !names.contains($0.key) }
        guard missing.isEmpty else { throw .missing(missing) }
        if let id = keyRing.ids.first(where: { uses[$0.description] != nil && keyRing.differs(from: ring, at: $0) }) {
            throw .another(id)
        }
        return keyRing.replace(by: ring)
    }

    /// Seals what lasts under the first master key, if another one sealed it: tenants' client secrets, the broker's own
    /// registrations and the audit trail's key. Flows and credential keys expire by themselves. Gives the number of client secrets that were
    /// resealed; one that does not open is reported and stays as it is.
    ///
    /// - Parameter progress: told the number resealed so far, after each batch.
    public func reseal(progress: @Sendable (Int) -> Void = { _ in }) async throws(StoreError) -> Int {
        try await store.resealAuditKey(keyRing)
        var moved = 0
        var position: ClientPosition?
        let (vault, primary) = (vault, keyRing.primary)
        repeat {
            // The store may run the closure again, or take back what it did: failures are told once that stands.
            let failures = ResealFailures()
            let batch = try await store.resealClients(after: position, limit: 500) { place, sealed in
                guard sealed.keyID != primary else { return nil }
                do throws(OpenError) {
                    let secret = try vault.open(sealed, of: place.tenant, place.sourceType)
                    return vault.seal(secret, of: place.tenant, place.sourceType)
                } catch {
                    failures.add(error.reason(sealed.keyID), at: place)
                    return nil
                }
            }
            for (place, reason) in failures.all {
                tell(
                    Incident(.clientSecretUnreadable, reason, tenant: place.tenant, sourceType: place.sourceType))
            }
            moved += batch.moved
            position = batch.position
            if batch.moved > 0 { progress(moved) }
        } while position != nil
        let ring = keyRing
        moved += try await store.resealRegistrations { kept in
            // One that does not open is made anew where it is needed, and told there.
            kept.sealed.keyID == primary ? nil : ClientRegistration.resealed(kept, by: ring)
        }
        return moved
    }
}

/// The secrets of one batch that did not open, each once however often it was tried.
private final class ResealFailures: Sendable {
    private let reasons = Locked<[ClientPosition: Reason]>([:])

    var all: [ClientPosition: Reason] { reasons.withLock { $0 } }

    func add(_ reason: Reason, at place: ClientPosition) { reasons.withLock { $0[place] = reason } }
}
