package import Secrets

/// A store that is copied into another one, in whose place that one serves from then on.
///
/// The two are never both to be served from: what is redeemed at one would be good at the other. So the source is marked
/// first, and no broker opens it from then on; the target takes none until all is there; and both hold the copy's random
/// name, by which one that was interrupted goes on, and no other does.
package protocol CopySource {
    /// The copy that this was marked for; `nil` where brokers may open it.
    var mark: CopyMark? { get throws }

    /// Gives it a new name, and keeps brokers out. Returns when that is on the disk.
    func markAsMoved() throws -> CopyMark

    /// From now on the target has something of it: no other target may ever get the same.
    func noteBegun() throws

    /// From now on the target serves: one that has only a part is of the past, and is not gone on with.
    func noteFinished() throws

    /// What the trail's proofs and places in the store's order rest on.
    var facts: CopiedFacts { get throws }

    /// Proves the audit trail.
    func verifyAuditTrail() throws -> AuditVerification

    func count(of kind: CopiedKind) throws -> Int64

    /// The next rows after a place, which is 0 at first. None of the audit trail.
    func rows(of kind: CopiedKind, after place: Int64, limit: Int) throws -> (rows: [[StoredValue]], place: Int64)

    /// The next events after a number, each proven.
    func events(after sequence: Int64, limit: Int) throws -> [AuditEntry]
}

/// The mark of a store that is moved, or was.
package struct CopyMark: Sendable, Equatable {
    /// Random bytes.
    package let id: [UInt8]
    /// True once there is something of it in the target.
    package let hasBegun: Bool
    /// True once all of it was there.
    package let isFinished: Bool

    package init(id: [UInt8], hasBegun: Bool, isFinished: Bool = false) {
        self.id = id
        self.hasBegun = hasBegun
        self.isFinished = isFinished
    }
}

/// What a store has once.
package struct CopiedFacts: Sendable {
    /// The audit trail's.
    package let key: SecretBytes
    /// The last event that was forgotten, and its digest.
    package let start: Int64
    package let startDigest: [UInt8]
    /// The last event and its time.
    package let last: Int64
    package let lastTime: Int64
    /// From this event on, none has an earlier time than the one before it.
    package let orderedFrom: Int64
    /// Refusals that the trail had no room for and has no event for yet.
    package let leftOut: Int64
    /// The number of the last revocation that ever was.
    package let revocations: Int64

    package init(
        key: SecretBytes, start: Int64, startDigest: [UInt8], last: Int64, lastTime: Int64, orderedFrom: Int64,
        leftOut: Int64, revocations: Int64
    ) {
        self.key = key
        self.start = start
        self.startDigest = startDigest
        self.last = last
        self.lastTime = lastTime
        self.orderedFrom = orderedFrom
        self.leftOut = leftOut
        self.revocations = revocations
    }
}

/// The kinds of rows that are copied, in this order. Refreshes are none: an answer is kept for 30 seconds, and what a
/// broker has the key of ends with its process.
package enum CopiedKind: String, CaseIterable, Sendable {
    case clients, clientRegistrations, revocations, flows, credentialKeys, spentKeys, auditEvents

    /// The columns of a row, by their names in the target.
    package var columns: [CopiedColumn] {
        switch self {
        case .clients:
            [
                .text("tenant"), .text("source_type"), .text("client_id"), .bytes("sealed_secret"), .text("scopes"),
                .text("parameters"), .integer("changed_at"),
            ]
        case .clientRegistrations:
            [.text("issuer"), .text("redirect_uri"), .bytes("sealed"), .integer("registered_at")]
        case .revocations:
            [.integer("id"), .text("tenant"), .text("source_type"), .bytes("flow"), .integer("time")]
        case .flows:
            [
                .bytes("id"), .text("tenant"), .text("source_type"), .text("parameters"), .text("scopes"),
                .text("frontend_origin"), .text("return_url"), .text("exchange_challenge"), .text("master_key"),
                .integer("status"), .bool("is_bound"), .integer("delivery"), .text("error"), .text("error_description"),
                .bytes("sealed_key"), .integer("key_expires_at"), .integer("expires_at"), .integer("created_at"),
                .text("redirect"), .text("client_id"), .integer("line"), .integer("reuses"),
            ]
        case .credentialKeys:
            [
                .bytes("digest"), .bytes("flow"), .text("tenant"), .text("source_type"), .text("exchange_challenge"),
                .bytes("sealed"), .bytes("sealed_revocation"), .integer("expires_at"), .integer("created_at"),
                .integer("line"),
            ]
        case .spentKeys:
            [
                .bytes("digest"), .bytes("flow"), .text("tenant"), .text("source_type"), .text("exchange_challenge"),
                .integer("expires_at"), .integer("created_at"), .integer("line"), .integer("spent_at"),
            ]
        case .auditEvents: []
        }
    }
}

package enum CopiedColumn: Sendable {
    case bool(String)
    case integer(String)
    case text(String)
    case bytes(String)

    package var name: String {
        switch self {
        case .bool(let name), .integer(let name), .text(let name), .bytes(let name): name
        }
    }
}

/// A value of a copied row.
package enum StoredValue: Sendable, Equatable {
    case null
    case integer(Int64)
    case text(String)
    case bytes([UInt8])
}

/// The reasons why a copy did not begin, or did not end.
package enum CopyError: Error, Equatable, Sendable {
    /// The target has rows that are not of this copy.
    case targetIsUsed
    /// The source was marked for a copy whose target is another one, or was emptied since.
    case movedElsewhere
    /// The target was put back to a moment within the copy, which was finished since.
    case targetIsOfThePast
    /// Another copy into the target is running.
    case targetIsBusy
    /// The source's audit trail is broken.
    case broken(sequence: Int64, finding: String)
    /// Its events have numbers that the target has no room for.
    case numbersTooLarge
    /// A row of the source is not of the form that this program writes.
    case malformedRow(CopiedKind)
    /// The two sides differ at the end; the target takes no broker.
    case different(CopiedKind, source: Int64, target: Int64)
    /// The trail's copy is not proven.
    case copiedTrail(finding: String)
}

/// A step of a copy.
package enum CopyStep: Sendable, Equatable {
    case provingSource
    case copying(CopiedKind, Int64, of: Int64)
    case comparing
}

/// A finished copy.
package struct CopyReport: Sendable, Equatable {
    /// The rows of each kind, of which both sides have as many.
    package let counts: [CopiedKind: Int64]
    /// The target's audit trail; `nil` where the copy was finished before, and nothing was looked at again.
    package let trail: AuditVerification?

    package init(counts: [CopiedKind: Int64], trail: AuditVerification?) {
        self.counts = counts
        self.trail = trail
    }
}
