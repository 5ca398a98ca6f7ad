public import Formats
public import Foundation

/// A UUID in lower case, of one kind of thing: an asset's id is never taken for a document's.
public struct Identifier<Of>: Hashable, Sendable, CustomStringConvertible {
    /// The 16 bytes, as stores keep them.
    public let uuid: UUID

    /// Takes any UUID; new ones are random (RFC 9562 § 5.4), or begin with a time.
    public init(_ uuid: UUID) { self.uuid = uuid }

    /// A new one that begins with a time, in milliseconds (RFC 9562 § 5.7): those of one time lie together in an index,
    /// so that a commit of many changes few pages of it.
    public init(madeAt time: Timestamp) {
        var bytes = UUID().uuid
        let milliseconds = UInt64(clamping: time.milliseconds)
        withUnsafeMutableBytes(of: &bytes) { bytes in
            for place in 0..<6 { bytes[place] = UInt8(truncatingIfNeeded: milliseconds >> (8 * (5 - UInt64(place)))) }
            bytes[6] = 0x70 | bytes[6] & 0x0F
        }
        self.init(UUID(uuid: bytes))
    }

    /// `nil` unless `text` is the one spelling that `description` gives: 36 characters, letters in lower case.
    public init?(_ text: some StringProtocol) {
        let text = String(text)
        guard text.utf8.count == 36, let uuid = UUID(uuidString: text), uuid.uuidString.lowercased() == text else {
            return nil
        }
        self.uuid = uuid
    }

    public var description: String { uuid.uuidString.lowercased() }
}

/// Finds an asset.
public typealias AssetID = Identifier<Asset>
/// Finds an operation.
public typealias OperationID = Identifier<AssetOperation>
/// Finds a document.
public typealias DocumentID = Identifier<Document>
