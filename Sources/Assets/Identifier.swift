public import Foundation

/// A UUID in lower case, of one kind of thing: an asset's id is never taken for a document's.
public struct Identifier<Of>: Hashable, Sendable, CustomStringConvertible {
    /// The 16 bytes, as stores keep them.
    public let uuid: UUID

    /// Takes any UUID; new ones are random (RFC 9562 § 5.4).
    public init(_ uuid: UUID) { self.uuid = uuid }

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
