import ArgumentParser
import AssetReaders

/// Takes documents apart that might bring a parser down. The service calls it, nobody else.
struct Extract: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take a document apart; for the service itself.", shouldDisplay: false, subcommands: [Docx.self])

    /// From standard input to standard output.
    struct Docx: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take a Word document apart.")

        func run() { DocxExtraction.run() }
    }
}
