public import Assets
import Secrets

/// Takes the text out of plain text, Markdown, CSV and HTML here, and out of PDF and Word documents in child processes.
public struct DocumentTextExtractor: TextExtractor {
    private let limits: ExtractionLimits
    /// `nil` without its tool.
    private let pdf: PDFText?
    /// `nil` without an executable.
    private let docx: DocxDocument?

    /// The usual place of poppler's `pdftotext`.
    public static let usualPDFTool = "/usr/bin/pdftotext"

    /// Looks for the tools now; a type whose tool is missing is not read.
    ///
    /// - Parameters:
    ///   - executable: a path; it has the command `extract docx`, which calls `DocxExtraction.run`. `nil`: Word documents
    ///     are not read.
    ///   - pdfTool: the path of `pdftotext`.
    public init(
        executable: String?, pdfTool: String = Self.usualPDFTool, limits: ExtractionLimits = ExtractionLimits()
    ) {
        self.limits = limits
        let slots = ChildSlots(limits.children)
        let hasLimiter = ChildProcess.exists(ChildProcess.limiter)
        pdf =
            hasLimiter && ChildProcess.exists(pdfTool)
            ? PDFText(tool: pdfTool, limits: limits.ofChild, slots: slots) : nil
        docx = executable.flatMap { executable in
            hasLimiter && ChildProcess.exists(executable)
                ? DocxDocument(executable: executable, limits: limits.ofChild, slots: slots) : nil
        }
    }

    public var supportedTypes: [SupportedType] {
        DocumentType.allCases.filter { ($0 != .pdf || pdf != nil) && ($0 != .docx || docx != nil) }.map(\.supported)
    }

    public func extract(
        _ content: SourceContent, fileName: String
    ) async throws(Document.Failure) -> ExtractedText {
        do throws(ExtractionFault) {
            return try await text(of: content, fileName: fileName)
        } catch {
            throw error.failure
        }
    }

    private func text(of content: SourceContent, fileName: String) async throws(ExtractionFault) -> ExtractedText {
        let type = try DocumentType(contentType: content.contentType, fileName: fileName)
        switch type {
        case .pdf:
            guard let pdf else { throw .unsupportedType(type.rawValue) }
            return try await pdf.extract(content.bytes)
        case .docx:
            guard let docx else { throw .unsupportedType(type.rawValue) }
            return try await docx.extract(content.bytes)
        case .plainText, .markdown, .html, .csv:
            let take = { @Sendable [limits] in
                Result { () throws(ExtractionFault) in try Self.text(of: content, type, within: limits) }
            }
            return try (content.bytes.count > Self.mostBytesHere ? await blocking(take) : take()).get()
        }
    }

    /// In bytes. What is shorter takes less time than to go to another thread.
    private static let mostBytesHere = 65_536

    private static func text(
        of content: SourceContent, _ type: DocumentType, within limits: ExtractionLimits
    ) throws(ExtractionFault) -> ExtractedText {
        if type == .html {
            return try HTMLText.extract(content.bytes, charset: content.charset, mostBytes: limits.textBytes)
        }
        let text = try TextDecoding.text(of: content.bytes, charset: content.charset, atMost: limits.textBytes)
        guard text.count <= limits.textBytes else { throw .tooMuchText }
        guard type == .markdown else { return ExtractedText(bytes: text) }
        return ExtractedText(bytes: text, sections: try MarkdownOutline.sections(of: text))
    }
}
