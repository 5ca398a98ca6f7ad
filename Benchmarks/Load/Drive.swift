/// A drive of Markdown files, with as much of Google Drive's API as the asset service asks for. A process of its own, so
/// that its CPU is not counted as the service's.
///
/// `folder-N` holds N files. Their number is all that tells them apart.
enum Drive {
    /// In bytes: 4 KiB.
    static let fileSize = 4096

    /// Serves until the process ends.
    static func serve(at port: UInt16) throws -> Never { try AnsweringServer.serve(at: port, answer) }

    /// The address of a file's bytes, as the asset service asks for them.
    static func path(of number: Int) -> String { "\(files)/file-\(number)?alt=media&supportsAllDrives=true" }

    private static let files = "/drive/v3/files"
    private static let pageSize = 1000

    private static func answer(_ request: Message) -> [UInt8] {
        if let number = request.head.word(after: files + "/file-").flatMap({ Int($0) }) {
            return AnsweringServer.answer(text(number), type: "text/markdown")
        }
        guard let count = request.head.word(after: "folder-").flatMap({ Int($0) }) else {
            return AnsweringServer.refusal("404 Not Found")
        }
        let first = request.head.word(after: "pageToken=").flatMap { Int($0) } ?? 0
        let end = min(first + pageSize, count)
        let page = (first..<end).map { number in
            """
            {"id":"file-\(number)","name":"note-\(number).md","mimeType":"text/markdown","size":"\(fileSize)",\
            "md5Checksum":"\(String(repeating: "0", count: 32))","webViewLink":"https://drive.example.com/\(number)"}
            """
        }
        let next = end < count ? #""nextPageToken":"\#(end)","# : ""
        return AnsweringServer.answer(
            Array(#"{\#(next)"files":[\#(page.joined(separator: ","))]}"#.utf8), type: "application/json")
    }

    /// Notes as people write them: a title, and sections of a few paragraphs, in ASCII but for some letters.
    static func text(_ number: Int) -> [UInt8] {
        var text = Array("# Note \(number)\n\n".utf8)
        text += rest.prefix(fileSize - text.count)
        return text
    }

    private static let rest: [UInt8] = {
        let sentences = [
            "The café by the station opens at seven, and closes when the last guest leaves.",
            "Whoever comes first turns the heating on; the key hangs behind the counter.",
            "Orders above 200 € need a second signature – ask in the office before noon.",
            "Nothing else has changed since the last version of this page.",
        ]
        var (text, section) = ("", 0)
        while text.utf8.count < fileSize {
            section += 1
            text += "## Section \(section)\n\n"
            for paragraph in 0..<4 {
                text += (0..<3).map { sentences[(section + paragraph + $0) % 4] }.joined(separator: " ") + "\n\n"
            }
        }
        // Where a file ends within a letter of several bytes, it would be no UTF-8.
        return Array(text.utf8.prefix(fileSize - 64)) + Array(repeating: UInt8(ascii: "z"), count: 64)
    }()
}
