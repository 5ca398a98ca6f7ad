import Assets
import Formats

/// A type of documents that is read.
enum DocumentType: String, Sendable, CaseIterable {
    case plainText = "text/plain"
    case markdown = "text/markdown"
    case html = "text/html"
    case csv = "text/csv"
    case pdf = "application/pdf"
    case docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

    /// A type by the document's media type, else by its name.
    init(contentType: String?, fileName: String) throws(ExtractionFault) {
        if let contentType, !Self.unsaying.contains(contentType) {
            guard let type = Self(rawValue: contentType) ?? Self.aliases[contentType] else {
                throw .unsupportedType(contentType)
            }
            self = type
            return
        }
        guard let suffix = fileName.utf8.lastIndex(of: UInt8(ascii: ".")).map({ fileName[$0...] }) else {
            throw .unsupportedType(nil)
        }
        let type = Self.allCases.first {
            $0.supported.extensions.contains { String(suffix).isExactly($0, inAnyCase: true) }
        }
        guard let type else { throw .unsupportedType(String(suffix)) }
        self = type
    }

    /// Types that servers tell of anything.
    static let unsaying: Set<String> = [
        "", "application/octet-stream", "binary/octet-stream", "application/unknown", "application/x-unknown",
        "application/force-download", "unknown/unknown",
    ]

    /// Other names of the types.
    static let aliases: [String: DocumentType] = [
        "text/x-markdown": .markdown, "text/x-web-markdown": .markdown, "application/xhtml+xml": .html,
        "application/csv": .csv, "text/comma-separated-values": .csv, "application/x-pdf": .pdf,
    ]

    var supported: SupportedType {
        switch self {
        case .plainText: SupportedType(contentType: rawValue, extensions: [".txt"], description: "Plain text")
        case .markdown: SupportedType(contentType: rawValue, extensions: [".md"], description: "Markdown")
        case .html: SupportedType(contentType: rawValue, extensions: [".html", ".htm"], description: "Web page")
        case .csv: SupportedType(contentType: rawValue, extensions: [".csv"], description: "Comma-separated values")
        case .pdf: SupportedType(contentType: rawValue, extensions: [".pdf"], description: "PDF")
        case .docx: SupportedType(contentType: rawValue, extensions: [".docx"], description: "Word document")
        }
    }
}
