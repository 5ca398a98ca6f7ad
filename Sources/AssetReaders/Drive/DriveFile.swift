import Assets
import Formats

/// A file as Google Drive lists it (https://developers.google.com/workspace/drive/api/reference/rest/v3/files).
struct DriveFile: Sendable {
    let id: String
    let name: String
    let mediaType: String
    let version: ItemVersion?
    /// The address where a person opens it.
    let webViewLink: String?
    /// In bytes; `nil` for documents of Google's own kinds, whose number says nothing of their text.
    let size: Int?

    /// The members that are asked for.
    static let fields = "id,name,mimeType,md5Checksum,modifiedTime,size,webViewLink"

    /// `nil` where there is no id or type.
    init?(_ value: JSONValue) {
        guard case .object(let members) = value, let id = members["id"]?.string, let type = members["mimeType"]?.string,
            (1...1024).contains(id.utf8.count)
        else { return nil }
        self.id = id
        name = FileName.cleaned(members["name"]?.string) ?? id
        mediaType = HeaderValue.mediaType(type)
        webViewLink = members["webViewLink"]?.string.flatMap { WebAddress($0)?.text }
        let isGoogles = mediaType.utf8.starts(with: Self.googles.utf8)
        size = isGoogles ? nil : members["size"]?.lenientNumber.flatMap { Int(exactly: $0) }
        version = Self.version("md5", members["md5Checksum"]) ?? Self.version("modified", members["modifiedTime"])
    }

    private static let googles = "application/vnd.google-apps."

    private static func version(_ kind: String, _ value: JSONValue?) -> ItemVersion? {
        guard let text = value?.string, (1...128).contains(text.utf8.count) else { return nil }
        return ItemVersion("\(kind) \(text)")
    }

    var isFolder: Bool { mediaType == Self.googles + "folder" }

    /// The type as which a document of Google's own kinds is exported
    /// (https://developers.google.com/workspace/drive/api/guides/ref-export-formats); `nil` for files, and for what has
    /// no text: drawings, forms, shortcuts.
    var exportType: String? {
        switch mediaType {
        case Self.googles + "document": "text/markdown"
        case Self.googles + "spreadsheet": "text/csv"
        case Self.googles + "presentation": "text/plain"
        default: nil
        }
    }

    /// The file as an item; `nil` where nothing reads its type.
    func item(_ types: SupportedTypes) -> SourceItem? {
        let isGoogles = mediaType.utf8.starts(with: Self.googles.utf8)
        let declared = ContentType(mediaType).mediaType
        let type = isGoogles ? exportType : types.contentType(declared: declared, fileName: name)
        guard let type else { return nil }
        return SourceItem(
            key: id, fileName: name, contentType: type, sourceURL: webViewLink, size: size, version: version,
            note: isGoogles ? DriveReader.exportNote : nil)
    }
}
