import Assets
import Formats
import Secrets

extension Chunk {
    /// The chunk as callers see it.
    func json(of document: DocumentID) -> JSONValue {
        .object([
            "chunkId": .string(id(in: document)),
            "chunkIndex": .count(index),
            "content": .string(content),
            "contextText": .null,
            "headingPath": .text(headingPath),
            "pageNumber": .text(page.map(String.init)),
            "startCharIdx": .count(scalars.lowerBound),
            "endCharIdx": .count(scalars.upperBound),
            "startLine": .count(lines.lowerBound),
            "endLine": .count(lines.upperBound),
            "tokenCount": .count(tokenCount),
        ])
    }

    /// A UUID made of the document, the place and the text (RFC 9562 § 5.8): the same as long as they are, so that who
    /// keeps chunks elsewhere sees by it which ones are new.
    private func id(in document: DocumentID) -> String {
        var bytes = Array(Digest(of: "\(document)/\(index)/\(content)").bytes.prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        let hex = bytes.map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }
        return [hex[0..<4], hex[4..<6], hex[6..<8], hex[8..<10], hex[10...]].map { $0.joined() }.joined(separator: "-")
    }
}
