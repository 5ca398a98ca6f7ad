import Foundation

/// PDFs of a few hundred bytes (ISO 32000-1 § 7.5).
enum PDFFixture {
    /// One page for each text, in Helvetica.
    static func pages(_ texts: [String]) -> [UInt8] {
        let kids = texts.indices.map { "\(4 + 2 * $0) 0 R" }.joined(separator: " ")
        var objects = [
            "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[\(kids)]/Count \(texts.count)>>",
            "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        ]
        for (index, text) in texts.enumerated() {
            let content = "BT /F1 24 Tf 72 700 Td (\(text)) Tj ET"
            objects.append(
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents \(5 + 2 * index) 0 R"
                    + "/Resources<</Font<</F1 3 0 R>>>>>>")
            objects.append("<</Length \(content.utf8.count)>>stream\n\(content)\nendstream")
        }
        return file(objects)
    }

    private static func file(_ objects: [String]) -> [UInt8] {
        var file = "%PDF-1.4\n"
        var table = "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
        for (index, object) in objects.enumerated() {
            let offset = String(file.utf8.count)
            table += String(repeating: "0", count: 10 - offset.utf8.count) + offset + " 00000 n \n"
            file += "\(index + 1) 0 obj\(object)endobj\n"
        }
        let start = file.utf8.count
        return Array(
            "\(file)\(table)trailer<</Size \(objects.count + 1)/Root 1 0 R>>\nstartxref\n\(start)\n%%EOF\n".utf8)
    }

    /// One page, to be opened by the password `secret` (RC4, 40 bits).
    static let encrypted = Array(
        Data(
            base64Encoded: """
                JVBERi0xLjQKMSAwIG9iajw8L1R5cGUvQ2F0YWxvZy9QYWdlcyAyIDAgUj4+ZW5kb2JqCjIgMCBvYmo8PC9UeXBlL1BhZ2VzL0tp
                ZHNbMyAwIFJdL0NvdW50IDE+PmVuZG9iagozIDAgb2JqPDwvVHlwZS9QYWdlL1BhcmVudCAyIDAgUi9NZWRpYUJveFswIDAgNjEy
                IDc5Ml0vQ29udGVudHMgNCAwIFIvUmVzb3VyY2VzPDwvRm9udDw8L0YxIDUgMCBSPj4+Pj4+ZW5kb2JqCjQgMCBvYmo8PC9MZW5n
                dGggMzc+PnN0cmVhbQqAuiDj04gSRrr0z8KE8tI57rmo4xK/E1NyuWFLJpCD/nEmudtwCmVuZHN0cmVhbWVuZG9iago1IDAgb2Jq
                PDwvVHlwZS9Gb250L1N1YnR5cGUvVHlwZTEvQmFzZUZvbnQvSGVsdmV0aWNhPj5lbmRvYmoKNiAwIG9iajw8L0ZpbHRlci9TdGFu
                ZGFyZC9WIDEvUiAyL088OTJmZTBmNDQ1NGFkNGM5NjQ0NjkzZjMzYzA3Y2I1NGY1ODdkY2UxZTI2ODJmZTllY2VhNjEwN2ExZWY2
                MzBkZD4vVTw4MTJlNzEyNDFlM2M2NGM4NTBjNDA5ZTM0NmY1ZmNiNTJjODg0NTNhNjlhMGFhZTcxZDk1YWZlYjI4YjdkNDVjPi9Q
                IC00ND4+ZW5kb2JqCnhyZWYKMCA3CjAwMDAwMDAwMDAgNjU1MzUgZiAKMDAwMDAwMDAwOSAwMDAwMCBuIAowMDAwMDAwMDUyIDAw
                MDAwIG4gCjAwMDAwMDAxMDEgMDAwMDAgbiAKMDAwMDAwMDIxMSAwMDAwMCBuIAowMDAwMDAwMjkzIDAwMDAwIG4gCjAwMDAwMDAz
                NTQgMDAwMDAgbiAKdHJhaWxlcjw8L1NpemUgNy9Sb290IDEgMCBSL0VuY3J5cHQgNiAwIFIvSURbPDMwMzEzMjMzMzQzNTM2Mzcz
                ODM5NjE2MjYzNjQ2NTY2PjwzMDMxMzIzMzM0MzUzNjM3MzgzOTYxNjI2MzY0NjU2Nj5dPj4Kc3RhcnR4cmVmCjUzOAolJUVPRgo=
                """, options: .ignoreUnknownCharacters) ?? Data())
}

/// ZIP archives (APPNOTE 6.3), written by hand.
struct ZipFixture {
    private var files: [UInt8] = []
    private var directory: [UInt8] = []
    private var count = 0

    /// - Parameters:
    ///   - deflated: the content is a stream of deflate.
    ///   - declaredSize: the size that the archive says the content has when it is unpacked.
    mutating func add(
        _ name: String, _ content: [UInt8], deflated: Bool = false, declaredSize: UInt32? = nil, flags: UInt16 = 0
    ) {
        var header = little(20 as UInt16) + little(flags) + little((deflated ? 8 : 0) as UInt16) + little(0 as UInt32)
        header += little(Self.checksum(content)) + little(UInt32(content.count))
        header += little(declaredSize ?? UInt32(content.count))
        header += little(UInt16(name.utf8.count)) + little(0 as UInt16)
        let offset = UInt32(files.count)
        files += Array("PK\u{3}\u{4}".utf8) + header + name.utf8 + content
        directory += Array("PK\u{1}\u{2}".utf8) + little(20 as UInt16) + header
        directory += [UInt8](repeating: 0, count: 10) + little(offset) + name.utf8
        count += 1
    }

    var bytes: [UInt8] {
        let end = little(0 as UInt32) + little(UInt16(count)) + little(UInt16(count)) + little(UInt32(directory.count))
        return files + directory + Array("PK\u{5}\u{6}".utf8) + end + little(UInt32(files.count)) + [0, 0]
    }

    /// A stream of deflate (RFC 1951 § 3.2.6) that unpacks to more than `count` zeros: one, and copies of 258.
    static func zeros(_ count: Int) -> [UInt8] {
        var bits = BitWriter()
        // The last block, with fixed codes; the literal 0.
        bits.write([1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0])
        for _ in 0..<(count / 258 + 1) { bits.write([1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]) }
        bits.write([0, 0, 0, 0, 0, 0, 0])
        return bits.bytes
    }

    /// CRC-32, bit by bit.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var checksum = UInt32.max
        for byte in bytes.prefix(65536) {
            checksum ^= UInt32(byte)
            for _ in 0..<8 { checksum = checksum >> 1 ^ (checksum & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
        return ~checksum
    }

    private func little(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian, Array.init)
    }
}

private struct BitWriter {
    var bytes: [UInt8] = []
    private var used = 8

    mutating func write(_ bits: [UInt8]) {
        for bit in bits {
            if used == 8 {
                bytes.append(0)
                used = 0
            }
            bytes[bytes.count - 1] |= bit << UInt8(used)
            used += 1
        }
    }
}

/// Word documents.
enum DocxFixture {
    static let namespace = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"

    static func archive(body: String, styles: String? = nil, parts: [String: String] = [:]) -> [UInt8] {
        archive(
            document: "<w:document xmlns:w='\(namespace)'><w:body>\(body)</w:body></w:document>", styles: styles,
            parts: parts)
    }

    /// - Parameter parts: by the names of their files.
    static func archive(document: String, styles: String? = nil, parts: [String: String] = [:]) -> [UInt8] {
        var archive = ZipFixture()
        archive.add("word/document.xml", Array(document.utf8))
        if let styles {
            archive.add("word/styles.xml", Array("<w:styles xmlns:w='\(namespace)'>\(styles)</w:styles>".utf8))
        }
        for (name, part) in parts { archive.add("word/" + name, Array(part.utf8)) }
        return archive.bytes
    }

    static func paragraph(_ text: String, style: String? = nil) -> String {
        let properties = style.map { "<w:pPr><w:pStyle w:val='\($0)'/></w:pPr>" } ?? ""
        return "<w:p>\(properties)<w:r><w:t>\(text)</w:t></w:r></w:p>"
    }
}

/// A program that a test writes.
final class ScriptFixture {
    let path: String

    init(_ lines: String) throws {
        path = NSTemporaryDirectory() + "/" + UUID().uuidString
        try Data("#!/bin/sh\n\(lines)\n".utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// The child that is built beside the tests.
let docxChild = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    .appendingPathComponent("docx-child").path
