import ArgumentParser
import AssetReaders

/// The service's own child, which takes a Word document apart. Not for people.
struct Extract: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read a document from standard input.", shouldDisplay: false, subcommands: [ExtractDocx.self])
}

struct ExtractDocx: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "docx", shouldDisplay: false)

    func run() { DocxExtraction.run() }
}
