import Assets

/// The text of a PDF by poppler's `pdftotext`, page by page.
struct PDFText: Sendable {
    private let child: ChildProcess

    /// - Parameter tool: the path of `pdftotext`.
    init(tool: String, limits: ChildProcess.Limits, slots: ChildSlots) {
        child = ChildProcess([tool, "-enc", "UTF-8", "-eol", "unix", "-", "-"], limits: limits, slots: slots)
    }

    func extract(_ content: [UInt8]) async throws(ExtractionFault) -> ExtractedText {
        let outcome = try await child.run(on: content)
        guard outcome.status == 0 else { throw Self.fault(of: outcome) }
        return try Self.pages(in: outcome.output)
    }

    /// Its codes are in its manual; what it says of an encrypted document is the same code as for a broken one.
    private static func fault(of outcome: ChildProcess.Outcome) -> ExtractionFault {
        switch outcome.status {
        case 126, 127: .unstartable
        case 3: .broken("it does not allow its text to be copied")
        default:
            String(decoding: outcome.complaints, as: UTF8.self).lowercased().contains("password")
                ? .encrypted : .broken("it is no PDF that can be read")
        }
    }

    /// The tool ends each page with a form feed.
    static func pages(in output: [UInt8]) throws(ExtractionFault) -> ExtractedText {
        let bytes = ToolOutput.text(of: output)
        var sections: [ExtractedText.Section] = []
        var start = 0
        while start < bytes.count {
            guard sections.count < SectionOutline.most else { throw .tooManySections }
            let end = bytes[start...].firstIndex(of: 0x0C).map { $0 + 1 } ?? bytes.count
            sections.append(ExtractedText.Section(range: start..<end, page: sections.count + 1))
            start = end
        }
        return ExtractedText(bytes: bytes, sections: sections)
    }
}

/// What a tool says that is UTF-8.
enum ToolOutput {
    /// Text all the same: a font may make NULs of its letters, and half of a pair.
    static func text(of output: [UInt8]) -> [UInt8] {
        var text = UTF8Text.isValid(output) ? output : UTF8Text.repaired(output[...], atMost: .max) ?? []
        for position in text.indices where text[position] == 0 { text[position] = 0x20 }
        LineEnds.normalize(&text)
        return text
    }
}
