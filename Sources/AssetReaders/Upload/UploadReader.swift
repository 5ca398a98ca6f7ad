import Assets
import Foundation
import Secrets

/// Reads the one file that a caller sent, from the uploads' folder.
struct UploadReader: SourceReader {
    let upload: Upload
    let folder: String
    /// In bytes.
    let longest: Int

    var listsChosenItems: Bool { true }
    private var type: ContentType { ContentType(upload.contentType) }

    func list(after cursor: ListingCursor?) async throws(SourceFault) -> ListingPage {
        let item = SourceItem(
            key: upload.storedName, fileName: upload.fileName, contentType: type.mediaType, size: upload.size,
            version: ItemVersion(upload.digest))
        return ListingPage(items: [item])
    }

    func read(_ item: SourceItem, since version: ItemVersion?) async throws(SourceFault) -> ItemReading {
        guard upload.size <= longest else { throw .tooLarge }
        let path = folder + "/" + upload.storedName
        let bytes = await blocking { FileManager.default.contents(atPath: path) }
        guard let bytes else { throw .rejected("the upload is gone from the disk") }
        let content = SourceContent(bytes: Array(bytes), contentType: type.mediaType, charset: type.charset)
        return ItemReading(.content(content, ItemVersion(upload.digest)))
    }
}
