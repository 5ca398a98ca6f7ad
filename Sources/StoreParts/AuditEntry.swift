package import Broker
import Catalog
import Formats

/// An event as a trail keeps it, column by column, and back. Takes whatever a row holds: the database may have been
/// altered.
package struct AuditEntry: Sendable {
    /// The columns after time and type.
    package enum Part: Int, CaseIterable {
        case tenant, sourceType, flow, actor, tokenID, remoteAddress, code, reason, requestID
    }

    /// As the trail keeps it: never before its predecessor's.
    package var time: Int64
    package let type: String
    /// In the order of `Part`.
    package var parts: [[UInt8]?]

    /// A row as it was found.
    package init(time: Int64, type: String, parts: [[UInt8]?]) {
        self.time = time
        self.type = type
        self.parts = parts
    }

    /// Without NUL, which an issuer's `sub` may have: it would not be read again, and the proof is over what is.
    package init(_ event: Event) {
        time = event.time.milliseconds
        type = event.kind.rawValue
        let requester = event.requester
        let bytes = { (text: String?) in text.map { Array($0.withoutNUL.utf8) } }
        parts = [
            bytes(event.tenant?.description), bytes(event.sourceType?.description), event.flow?.bytes,
            bytes(requester.subject), bytes(requester.tokenID), bytes(requester.remoteAddress), bytes(event.code),
            bytes(event.detail), bytes(requester.requestID),
        ]
    }

    /// The text of a part; `nil` where it has none.
    package func text(_ part: Part) -> String? { parts[part.rawValue].map { String(decoding: $0, as: UTF8.self) } }

    /// The types that each flow or refresh has.
    package static let frequent: [Event.Kind] = [
        .flowStarted, .flowSucceeded, .credentialKeyRedeemed, .credentialsRefreshed,
    ]
    /// The others: an index tells where they are. It has this condition in it: another one here needs a migration with
    /// another index.
    package static let isSeldom = "type NOT IN (\(frequent.map { "'\($0.rawValue)'" }.joined(separator: ", ")))"

    package var detail: String? {
        get { text(.reason) }
        set { parts[Part.reason.rawValue] = newValue.map { Array($0.utf8) } }
    }

    /// `nil` where the row is not one that this program wrote.
    package var event: Event? {
        guard let kind = Event.Kind(rawValue: type) else { return nil }
        return Event(
            kind, at: Timestamp(milliseconds: time),
            by: Requester(
                subject: text(.actor), tokenID: text(.tokenID), remoteAddress: text(.remoteAddress),
                requestID: text(.requestID)),
            tenant: text(.tenant).flatMap { TenantID($0) }, sourceType: text(.sourceType).flatMap { SourceType.ID($0) },
            flow: parts[Part.flow.rawValue].flatMap { FlowID(bytes: $0) }, code: text(.code), detail: text(.reason))
    }

    /// The bytes that a proof is over: each part with its length before it, so that no two events give the same bytes.
    package func encoded(sequence: Int64, after digest: [UInt8]) -> [UInt8] {
        var bytes = digest
        bytes.reserveCapacity(256)
        func add(_ number: Int64) { withUnsafeBytes(of: number.bigEndian) { bytes += $0 } }
        add(sequence)
        add(time)
        func add(_ part: [UInt8]?) {
            add(Int64(part?.count ?? -1))
            bytes += part ?? []
        }
        add(Array(type.utf8))
        for part in parts.prefix(Part.requestID.rawValue) { add(part) }
        // Events of version 3 and before have no request id, and their proofs nothing of it.
        for part in parts.dropFirst(Part.requestID.rawValue) where part != nil { add(part) }
        return bytes
    }
}

extension String {
    /// As databases keep it: U+FFFD for NUL, as for an invalid byte.
    package var withoutNUL: String {
        utf8.contains(0) ? String(String.UnicodeScalarView(unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 })) : self
    }
}
