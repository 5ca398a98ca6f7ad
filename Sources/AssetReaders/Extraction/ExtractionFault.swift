import Assets
import Formats

/// A reason why the text of a document could not be taken out.
enum ExtractionFault: Error, Sendable, Hashable {
    /// Its bytes have NULs.
    case notText
    /// Nothing reads its type; its name, where it has one.
    case unsupportedType(String?)
    /// More headings or pages than `SectionOutline.most`.
    case tooManySections
    /// More text than the limit, or parts that unpack to more.
    case tooMuchText
    case encrypted
    /// It cannot be taken apart; the words say why, where they are our own.
    case broken(String)
    /// The tool that reads it took longer than it may.
    case timedOut
    /// The tool that reads it ended by itself in a way that it must not.
    case crashed
    /// The tool that reads it could not be started.
    case unstartable
    case cancelled

    /// The words for people.
    var failure: Document.Failure {
        switch self {
        case .notText: Document.Failure(.unreadable, "the document is not text: it has NUL characters")
        case .unsupportedType(let name):
            Document.Failure(
                .unsupportedType,
                name.map { "documents of type \($0.quoted) are not read" } ?? "the document's type is not known")
        case .tooManySections:
            Document.Failure(.unreadable, "the document has more than \(SectionOutline.most) headings or pages")
        case .tooMuchText: Document.Failure(.unreadable, "the document has too much text, or unpacks to too much")
        case .encrypted: Document.Failure(.unreadable, "the document is encrypted")
        case .broken(let reason): Document.Failure(.unreadable, "the document is broken: \(reason)")
        case .timedOut: Document.Failure(.unreadable, "reading the document took too long")
        case .crashed: Document.Failure(.unreadable, "the document is broken: its reader crashed or ran out of memory")
        case .unstartable: Document.Failure(.unreadable, "the reader of such documents could not be started")
        case .cancelled: Document.Failure(.unreadable, "reading the document was cancelled")
        }
    }
}
