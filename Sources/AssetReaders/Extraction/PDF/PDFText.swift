import Assets
import Formats

/// Text out of PDF, by poppler's `pdftotext`.
struct PDFText: Sendable {
    /// The path of the tool.
    let tool: String
    var limits = ChildProcess.Limits()

    /// The text, page by page.
    func extract(_ bytes: [UInt8]) async throws(Document.Failure) -> ExtractedText {
        let process = ChildProcess(program: tool, arguments: ["-enc", "UTF-8", "-", "-"], limits: limits)
        let output: [UInt8]
        do throws(ChildProcess.Fault) {
            output = try await process.run(bytes)
        } catch {
            throw Document.Failure(.unreadable, Self.words(error))
        }
        var text = UTF8Text.isValid(output) ? output : UTF8Text.repaired(output[...])
        for index in text.indices where text[index] == 0 { text[index] = 0x20 }
        return ExtractedText(bytes: text, sections: Self.pages(of: text))
    }

    /// Each page ends with a form feed.
    private static func pages(of text: [UInt8]) -> [ExtractedText.Section] {
        var pages: [ExtractedText.Section] = []
        var start = 0
        while start < text.count {
            let end = text[start...].firstIndex(of: 0x0C).map { $0 + 1 } ?? text.count
            pages.append(.init(range: start..<end, page: pages.count + 1))
            start = end
        }
        return pages
    }

    private static func words(_ fault: ChildProcess.Fault) -> String {
        switch fault {
        case .failed(_, let said) where said.contains("Incorrect password"):
            "the PDF is encrypted: take its password away, and refresh"
        case .failed: "the PDF is broken: nothing reads it"
        case .killed: "the PDF crashed its reader, or needed more memory or time than one may have"
        case .timedOut: "the PDF took longer to read than one may"
        case .outputTooLarge: "the PDF has more text than one may have"
        case .notStarted: "the reader of PDFs did not start: see that pdftotext and prlimit are there"
        case .cancelled: "the work on it was ended"
        }
    }
}
