import Assets

/// The service's side of the reading of Word documents.
struct DocxDocument: Sendable {
    private let child: ChildProcess

    /// - Parameter executable: has the command `extract docx`, which calls `DocxExtraction.run`.
    init(executable: String, limits: ChildProcess.Limits, slots: ChildSlots) {
        child = ChildProcess([executable, "extract", "docx"], limits: limits, slots: slots)
    }

    func extract(_ content: [UInt8]) async throws(ExtractionFault) -> ExtractedText {
        let outcome = try await child.run(on: content)
        guard outcome.status == 0 else { throw .crashed }
        return try DocxMessage.read(outcome.output)
    }
}
