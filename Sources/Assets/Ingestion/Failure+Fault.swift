import Formats

// The words for what goes wrong with documents and operations, all in one place.

extension Document.Failure {
    /// The reason why one document could not be read; `nil` where no other could be read either, or nobody waits.
    init?(_ fault: SourceFault) {
        guard let reason = fault.reason else { return nil }
        self.init(reason.code, reason.message)
    }

    static func tooLarge(mostBytes: Int) -> Self {
        Self(.tooLarge, "the document has more than \(mostBytes) bytes (sources.maxDocumentBytes)")
    }

    /// A server that says "not modified" to a request without conditions.
    static let unchangedFromNothing = Self(
        .sourceRejected, "the source says that the document has not changed, though it was asked for all of it")

    static func refusedByEmbedder(_ reason: String) -> Self {
        Self(.embedderFailed, "the embedder refused the document's text: \(reason.told)")
    }
}

extension AssetOperation.Failure {
    /// The reason why a source could not be read at all.
    init(_ fault: SourceFault) {
        switch fault {
        case .reauthorizationRequired:
            self.init(
                .reauthorizationRequired,
                "the source no longer takes the credentials; connect it again (PATCH auth), then refresh")
        case .brokerUnreachable(let reason):
            self.init(.brokerUnreachable, reason.told)
        case .cancelled:
            self.init(.sourceUnreachable, "reading the source was given up")
        case .unreachable, .timedOut, .rejected, .addressRefused, .tooLarge, .unsupportedType:
            let reason = fault.reason
            self.init(
                reason.flatMap { Self.code(of: $0.code) } ?? .sourceRejected,
                reason?.message ?? "the source cannot be read")
        }
    }

    /// The whole source is one document, and that one is not there.
    static let nothingThere = Self(.sourceRejected, "the source has nothing at its address")

    static func noReader(of sourceType: String) -> Self {
        Self(.internalError, "this service reads sources of type \(sourceType.quoted) no more")
    }

    static func unusableEmbedder(_ reason: String) -> Self {
        Self(.embedderFailed, "the embedder can't be used: \(reason.told)")
    }

    static func vectorsMissing(got count: Int, of expected: Int) -> Self {
        Self(.embedderFailed, "the embedder gave \(count) vectors for \(expected) texts")
    }

    static func modelGone(_ model: EmbeddingModel.Name) -> Self {
        Self(
            .embedderFailed,
            "the embedding model \(model.model.quoted) of \(model.provider.quoted) is configured no more")
    }

    private static func code(of code: Document.Code) -> AssetOperation.Code? {
        switch code {
        case .sourceUnreachable: .sourceUnreachable
        case .sourceTimeout: .sourceTimeout
        case .sourceRejected, .tooLarge, .unsupportedType: .sourceRejected
        case .sourceAddressRefused: .sourceAddressRefused
        case .embedderFailed: .embedderFailed
        case .unreadable, .crashed: nil
        }
    }
}

extension SourceFault {
    /// The words, where the fault is one of a document; they serve a whole source too.
    fileprivate var reason: (code: Document.Code, message: String)? {
        switch self {
        case .unreachable(let reason): (.sourceUnreachable, reason.told)
        case .timedOut(let reason): (.sourceTimeout, reason.told)
        case .rejected(let reason): (.sourceRejected, reason.told)
        case .addressRefused(let reason): (.sourceAddressRefused, reason.told)
        case .tooLarge: (.tooLarge, "the source sent more bytes than a document may have (sources.maxDocumentBytes)")
        case .unsupportedType(let type): (.unsupportedType, "nothing reads documents of type \(type.quoted)")
        case .reauthorizationRequired, .brokerUnreachable, .cancelled: nil
        }
    }
}

extension String {
    /// The reason that a reader or an embedder gives, which may repeat what a stranger sent: on one line, and short.
    fileprivate var told: String {
        let short = prefix(bytes: 300)
        return short.visible + (short.utf8.count < utf8.count ? "…" : "")
    }
}
