import Assets
import Secrets

/// A source whose documents a test lists, changes and holds up.
final class ScriptedSource: SourceReader {
    struct Entry: Sendable {
        /// Each line is a chunk.
        var text: String
        var version: String
        /// Known from the listing alone.
        var isVersionListed = true
        var isTypeListed = true
        var isListed = true
        var isWholeSource = false
        var bringsContent = false
        var leadsTo: [String] = []
        var leavesOut = false
        var fault: SourceFault?
        var outcome: ItemReading.Outcome?
    }

    /// What the test may change at any time.
    struct Script: Sendable {
        var entries: [(key: String, entry: Entry)] = []
        var pageSize = 100
        var isIncomplete = false
        var keepsVanished = false
        var listsChosenItems = true
        var listingFault: SourceFault?
        /// Pages instead of those made of `entries`, for listings that never end; given the number of the page.
        var page: (@Sendable (Int) -> ListingPage)?

        subscript(key: String) -> Entry? {
            get { entries.first { $0.key == key }?.entry }
            set {
                let index = entries.firstIndex { $0.key == key }
                switch (index, newValue) {
                case (let index?, let entry?): entries[index].entry = entry
                case (let index?, nil): entries.remove(at: index)
                case (nil, let entry?): entries.append((key, entry))
                case (nil, nil): break
                }
            }
        }
    }

    private let script = Locked(Script())
    private let reads = Locked([String]())
    private let pages = Locked([Int]())
    private let givenVersions = Locked([String: String?]())
    /// Run before each page, and before each reading.
    private let beforePage: @Sendable (Int) async throws(SourceFault) -> Void
    private let beforeReading: @Sendable (String) async throws(SourceFault) -> Void

    init(
        _ texts: KeyValuePairs<String, String> = [:],
        beforePage: @escaping @Sendable (Int) async throws(SourceFault) -> Void = { (_) throws(SourceFault) in },
        beforeReading: @escaping @Sendable (String) async throws(SourceFault) -> Void = { (_) throws(SourceFault) in }
    ) {
        self.beforePage = beforePage
        self.beforeReading = beforeReading
        change { script in
            for (key, text) in texts { script[key] = Entry(text: text, version: "1") }
        }
    }

    func change(_ change: (inout Script) -> Void) { script.withLock { change(&$0) } }

    /// The keys in the order in which they were read.
    var readKeys: [String] { reads.withLock { $0 } }
    /// The numbers of the pages that were listed.
    var listedPages: [Int] { pages.withLock { $0 } }
    /// The version that the last reading was asked about.
    func askedVersion(_ key: String) -> String?? { givenVersions.withLock { $0[key] } }

    func forgetReads() { reads.withLock { $0 = [] } }

    // MARK: SourceReader

    var listsChosenItems: Bool { script.withLock { $0.listsChosenItems } }

    func list(after cursor: ListingCursor?) async throws(SourceFault) -> ListingPage {
        let number = cursor.flatMap { Int($0.text) } ?? 0
        pages.withLock { $0.append(number) }
        try await beforePage(number)
        let script = script.withLock { $0 }
        if let fault = script.listingFault { throw fault }
        if let page = script.page { return page(number) }
        let listed = script.entries.filter(\.entry.isListed)
        let start = min(number * script.pageSize, listed.count)
        let end = min(start + script.pageSize, listed.count)
        return ListingPage(
            items: listed[start..<end].map { Self.item($0.key, $0.entry) },
            next: end < listed.count ? ListingCursor(String(number + 1)) : nil, isIncomplete: script.isIncomplete,
            keepsVanished: script.keepsVanished)
    }

    func read(_ item: SourceItem, since version: ItemVersion?) async throws(SourceFault) -> ItemReading {
        reads.withLock { $0.append(item.key) }
        givenVersions.withLock { $0[item.key] = .some(version?.text) }
        try await beforeReading(item.key)
        let script = script.withLock { $0 }
        guard let entry = script[item.key] else { return ItemReading(.absent) }
        if let fault = entry.fault { throw fault }
        let found = entry.leadsTo.compactMap { key in script[key].map { Self.item(key, $0) } }
        let content = SourceContent(bytes: Array(entry.text.utf8), contentType: "text/plain")
        let outcome = entry.outcome ?? .content(content, ItemVersion(entry.version))
        return ItemReading(outcome, found: found, isIncomplete: entry.leavesOut)
    }

    private static func item(_ key: String, _ entry: Entry) -> SourceItem {
        SourceItem(
            key: key, fileName: "\(key).txt", contentType: entry.isTypeListed ? "text/plain" : nil,
            version: entry.isVersionListed ? ItemVersion(entry.version) : nil,
            content: entry.bringsContent
                ? SourceContent(bytes: Array(entry.text.utf8), contentType: "text/plain") : nil,
            isWholeSource: entry.isWholeSource)
    }
}

/// Gives each asset the source of its name.
struct ScriptedReaders: SourceReaders {
    let sources: [String: ScriptedSource]

    var sourceTypes: [SourceType] { [] }

    func reader(for ingestion: Ingestion, tokens: (any AccessTokenSource)?) -> (any SourceReader)? {
        sources[ingestion.asset.displayName]
    }
}

/// Takes each line for a section, so that each is a chunk.
struct LineExtractor: TextExtractor {
    var beforeExtraction: @Sendable (String) async -> Void = { _ in }

    var supportedTypes: [SupportedType] { [] }

    func extract(_ content: SourceContent, fileName: String) async throws(Document.Failure) -> ExtractedText {
        await beforeExtraction(fileName)
        if content.bytes.contains(0) { throw Document.Failure(.unreadable, "the document is not text") }
        var sections: [ExtractedText.Section] = []
        var start = 0
        for (index, byte) in content.bytes.enumerated() where byte == 0x0A || index == content.bytes.count - 1 {
            sections.append(ExtractedText.Section(range: start..<index + 1))
            start = index + 1
        }
        return ExtractedText(
            bytes: content.bytes, sections: sections, title: fileName.hasPrefix("titled") ? "A title" : nil)
    }
}

/// Gives each text a vector of its length, and counts.
final class ScriptedEmbedder: Embedder {
    let mostTexts: Int
    /// The tokens of a call; `nil`: it says nothing.
    private let tokens: Int?
    private let calls = Locked([[String]]())
    private let beforeCall: @Sendable ([String]) async throws(EmbedderFault) -> Void
    private let isShort: Bool

    init(
        mostTexts: Int = 64, tokens: Int? = nil, isShort: Bool = false,
        beforeCall: @escaping @Sendable ([String]) async throws(EmbedderFault) -> Void = { (_) throws(EmbedderFault) in
        }
    ) {
        self.mostTexts = mostTexts
        self.tokens = tokens
        self.isShort = isShort
        self.beforeCall = beforeCall
    }

    var embeddedTexts: [[String]] { calls.withLock { $0 } }

    func embed(_ texts: [String]) async throws(EmbedderFault) -> Embeddings {
        calls.withLock { $0.append(texts) }
        try await beforeCall(texts)
        let vectors = texts.map { [Float($0.utf8.count)] }
        return Embeddings(vectors: isShort ? Array(vectors.dropLast()) : vectors, tokenCount: tokens)
    }
}
