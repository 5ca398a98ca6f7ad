/// The bounds of taking text out of documents.
public struct ExtractionLimits: Sendable {
    /// The most bytes of a document's text.
    public var textBytes = 64 << 20
    /// The most seconds that a child process takes for a document.
    public var childSeconds = 60
    /// The most bytes of a child's address space.
    public var childMemory = 1 << 30
    /// The most child processes at once.
    public var children = 2

    /// The bounds that suit documents of up to 50 MiB.
    public init() {}

    var ofChild: ChildProcess.Limits {
        // What it says beside the text: headings, and a few bytes for each.
        ChildProcess.Limits(
            time: .seconds(childSeconds), processorSeconds: childSeconds, memory: childMemory,
            output: textBytes + SectionOutline.most * 64)
    }
}
