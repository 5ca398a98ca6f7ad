import Assets
import Formats

/// The types of documents that are read on this machine, by media type and by the ends of file names.
struct SupportedTypes: Sendable {
    private let contentTypes: Set<String>
    /// In lower case, with their dot.
    private let byExtension: [String: String]

    init(_ types: [SupportedType]) {
        contentTypes = Set(types.map(\.contentType))
        let pairs = types.flatMap { type in type.extensions.map { ($0.lowercased(), type.contentType) } }
        byExtension = Dictionary(pairs) { first, _ in first }
    }

    /// The type as which a document is read; `nil` where nothing reads it.
    ///
    /// Servers and disks call any text `text/plain`: there the name's end says more.
    func contentType(declared: String?, fileName: String) -> String? {
        let declared = declared.map { DocumentType.aliases[$0]?.rawValue ?? $0 }
        if let declared, declared != "text/plain" { return contentTypes.contains(declared) ? declared : nil }
        return contentType(fileName: fileName) ?? declared.flatMap { contentTypes.contains($0) ? $0 : nil }
    }

    /// The type that a file's name tells; `nil` where it tells none that is read.
    func contentType(fileName: String) -> String? {
        guard let dot = fileName.utf8.lastIndex(of: UInt8(ascii: ".")) else { return nil }
        let end = fileName.utf8[dot...]
        return end.count <= 16 ? byExtension[HeaderValue.lowercased(end)] : nil
    }
}
