import Assets
import Formats

extension Document {
    /// The document as callers see it: what is known of it, without its text.
    var json: JSONValue {
        .object([
            "id": .string(id.description),
            "assetId": .string(asset.description),
            "fileName": .string(fileName),
            "contentType": .text(contentType),
            "sourceUrl": .text(sourceURL),
            "fileSize": .count(fileSize),
            "chunkCount": .count(chunkCount),
            "tokenCount": .count(tokenCount),
            "status": .string(status.rawValue),
            "errorMessage": .text(failure?.message),
            "errorCode": .text(failure?.code.rawValue),
            "createdAt": .time(createdAt),
            "modifiedAt": .time(modifiedAt),
            "processedAt": .time(processedAt),
        ])
    }
}
