import Formats

/// Reads one source: lists what it has, and reads the items one by one. Made for one operation.
///
/// What its source says is hostile: a listing that never ends is ended by the ingestion's bounds, and bytes are capped
/// where they arrive.
public protocol SourceReader: Sendable {
    /// An item's version can be learnt from the listing alone, so that items chosen by callers are listed too. Else
    /// they are read straight away.
    var listsChosenItems: Bool { get }

    /// One page of the listing: the first where `cursor` is `nil`, else the one after.
    func list(after cursor: ListingCursor?) async throws(SourceFault) -> ListingPage

    /// The text of an item as the source has it now.
    ///
    /// - Parameter version: that of the last reading whose document is kept; `nil` where there is none, or all is to be
    ///   read again.
    func read(_ item: SourceItem, since version: ItemVersion?) async throws(SourceFault) -> ItemReading
}

/// A place in a listing. Only the reader that made it reads it.
public struct ListingCursor: Sendable, Hashable {
    public var text: String

    public init(_ text: String) { self.text = text }
}

/// What tells two states of an item apart: a hash, a time, or what a reader needs to ask for changes. Only the reader
/// that made it reads it. Compared byte for byte.
public struct ItemVersion: Sendable, Hashable {
    public var text: String

    public init(_ text: String) { self.text = text }
}

/// A page of a listing.
public struct ListingPage: Sendable {
    public var items: [SourceItem]
    /// `nil` at the end.
    public var next: ListingCursor?
    /// The source cut the listing short, or a limit of a parameter did: what is missing may still be there.
    public var isIncomplete: Bool
    /// Documents of items that are listed no more stay, as entries that left a feed do.
    public var keepsVanished: Bool

    public init(
        items: [SourceItem], next: ListingCursor? = nil, isIncomplete: Bool = false, keepsVanished: Bool = false
    ) {
        self.items = items
        self.next = next
        self.isIncomplete = isIncomplete
        self.keepsVanished = keepsVanished
    }
}

/// A thing that a source has: a document, or an address that may turn out to be none.
public struct SourceItem: Sendable, Hashable {
    /// The source's own id, one for each item of the source, at most 2 KiB.
    public var key: String
    public var fileName: String
    /// `nil` where only reading tells.
    public var contentType: String?
    /// The address where a person opens it.
    public var sourceURL: String?
    /// In bytes; `nil` where only reading tells.
    public var size: Int?
    /// `nil` where only reading tells. Where it equals that of the kept document, nothing is read.
    public var version: ItemVersion?
    /// Its text, where the listing brings it.
    public var content: SourceContent?
    /// The item is the source itself: where it cannot be read, the operation fails, and it is no document.
    public var isWholeSource: Bool
    /// Anything else that its reader needs to read it, such as the depth at which a page was found.
    public var note: String?

    public init(
        key: String, fileName: String, contentType: String? = nil, sourceURL: String? = nil, size: Int? = nil,
        version: ItemVersion? = nil, content: SourceContent? = nil, isWholeSource: Bool = false, note: String? = nil
    ) {
        self.key = key
        self.fileName = fileName
        self.contentType = contentType
        self.sourceURL = sourceURL
        self.size = size
        self.version = version
        self.content = content
        self.isWholeSource = isWholeSource
        self.note = note
    }
}

/// The bytes of a document, as its source gave them.
public struct SourceContent: Sendable, Hashable {
    public var bytes: [UInt8]
    /// The media type without parameters, in lower case; `nil` where the source does not say.
    public var contentType: String?
    /// The declared charset, in lower case.
    public var charset: String?

    public init(bytes: [UInt8], contentType: String?, charset: String? = nil) {
        self.bytes = bytes
        self.contentType = contentType
        self.charset = charset
    }
}

/// The outcome of reading an item.
public struct ItemReading: Sendable {
    public enum Outcome: Sendable {
        /// Its bytes, and the version that they are.
        case content(SourceContent, ItemVersion)
        /// The document is what it was. The version may be told anew, where what it is asked by has changed.
        case unchanged(ItemVersion?)
        /// There is no document: gone, or of no type that is read.
        case absent
    }

    public var outcome: Outcome
    /// The items that it led to. Those that were found already are passed over.
    public var found: [SourceItem]
    /// Something that it led to was left out for a limit, so that the listing is not whole.
    public var isIncomplete: Bool

    public init(_ outcome: Outcome, found: [SourceItem] = [], isIncomplete: Bool = false) {
        self.outcome = outcome
        self.found = found
        self.isIncomplete = isIncomplete
    }
}

/// A reason why a source or an item could not be read, after all tries.
public enum SourceFault: Error, Sendable, Hashable {
    /// The source no longer takes the credentials, or the broker says that they are at their end.
    case reauthorizationRequired
    case unreachable(String)
    case timedOut(String)
    /// It answered with an error that trying again does not mend.
    case rejected(String)
    /// A private or loopback address, http, or an address that `robots.txt` closes.
    case addressRefused(String)
    /// The broker, asked for a fresh token, does not answer.
    case brokerUnreachable(String)
    /// More bytes than a document may have.
    case tooLarge
    /// Nothing reads this type.
    case unsupportedType(String)
    /// The task was cancelled.
    case cancelled
}
