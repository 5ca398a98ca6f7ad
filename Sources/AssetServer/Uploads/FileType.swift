import Assets
import Formats

extension AssetCatalog {
    /// The type as which an upload is read: by the end of its name, else by what its sender says; `nil` where nothing
    /// reads it.
    func contentType(ofFile name: String, declared: String?) -> String? {
        if let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) {
            let end = HeaderValue.lowercased(name.utf8[dot...])
            if let type = supportedTypes.first(where: { $0.extensions.contains(exactly: end) }) {
                return type.contentType
            }
        }
        return declared.flatMap { declared in supportedTypes.first { $0.contentType.isExactly(declared) }?.contentType }
    }
}
