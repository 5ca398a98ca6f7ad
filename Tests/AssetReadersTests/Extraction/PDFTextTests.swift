import Assets
import Foundation
import Testing

@testable import AssetReaders

/// By the real tool.
@Suite struct PDFTextTests {
    private let reader = PDFText(tool: "/usr/bin/pdftotext")

    /// As small as one can be, with a line on each page.
    private func pdf(_ lines: [String]) -> [UInt8] {
        let pages = lines.indices.map { "\(4 + 2 * $0) 0 R" }.joined(separator: " ")
        var objects = [
            "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [\(pages)] /Count \(lines.count) >>",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        ]
        for (index, line) in lines.enumerated() {
            let content = "BT /F1 12 Tf 72 700 Td (\(line)) Tj ET"
            objects.append(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
                    + "/Contents \(5 + 2 * index) 0 R >>")
            objects.append("<< /Length \(content.utf8.count) >>\nstream\n\(content)\nendstream")
        }
        var file = "%PDF-1.4\n"
        var offsets: [Int] = []
        for (index, object) in objects.enumerated() {
            offsets.append(file.utf8.count)
            file += "\(index + 1) 0 obj\n\(object)\nendobj\n"
        }
        let start = file.utf8.count
        file += "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
        for offset in offsets { file += String(format: "%010d 00000 n \n", offset) }
        file += "trailer << /Size \(objects.count + 1) /Root 1 0 R >>\nstartxref\n\(start)\n%%EOF\n"
        return Array(file.utf8)
    }

    @Test func `each page is a section`() async throws {
        let text = try await reader.extract(pdf(["first page", "", "third page"]))
        let pages = text.sections.map { section in
            let words = String(decoding: text.bytes[section.range], as: UTF8.self)
            return "\(section.page ?? 0) \(words.trimmingCharacters(in: .whitespacesAndNewlines))"
        }
        #expect(pages == ["1 first page", "2 ", "3 third page"])
    }

    @Test func `what is no PDF is unreadable, wherever it is cut`() async {
        let whole = pdf(["text"])
        for length in [0, 1, 9, 100] {
            await #expect(throws: Document.Failure.self) { try await reader.extract(Array(whole.prefix(length))) }
        }
    }

    @Test func `a reader that crashes, hangs or does not stop fails the document alone`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var limits = ChildProcess.Limits()
        limits.time = .seconds(1)
        limits.output = 10_000
        for (number, script) in ["kill -SEGV $$", "sleep 60", "while :; do echo text; done"].enumerated() {
            let tool = folder.appendingPathComponent("tool\(number)")
            try Data("#!/bin/sh\n\(script)\n".utf8).write(to: tool)
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: tool.path)
            let failure = await #expect(throws: Document.Failure.self) {
                try await PDFText(tool: tool.path, limits: limits).extract(pdf(["text"]))
            }
            #expect(failure?.code == .unreadable)
        }
    }
}
