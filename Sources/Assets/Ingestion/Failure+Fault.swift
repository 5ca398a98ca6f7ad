import Formats

// The words for what goes wrong with documents and operations, all in one place.

extension Document.Failure {
    /// The reason why one document could not be read; `nil` where no other could be read either, or nobody waits.
    init?(_ fault: SourceFault) {
        guard let code = fault.documentCode else { return nil }
        self.init(code, fault.words)
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
    init(_ fault: SourceFault) { self.init(fault.operationCode, fault.words) }

    /// The whole source is one document, and that one is not there.
    static let nothingThere = Self(.sourceRejected, "the source has nothing at its address")

    static func noReader(of sourceType: String) -> Self {
        Self(.internalError, "this service reads sources of type \(sourceType.quoted) no more")
    }

    static let storeLost = Self(.internalError, "this service could not write to its database for an hour")

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
}

extension SourceFault {
    fileprivate var documentCode: Document.Code? {
        switch self {
        case .unreachable: .sourceUnreachable
        case .timedOut: .sourceTimeout
        case .rejected: .sourceRejected
        case .addressRefused: .sourceAddressRefused
        case .tooLarge: .tooLarge
        case .unsupportedType: .unsupportedType
        case .reauthorizationRequired, .brokerUnreachable, .cancelled: nil
        }
    }

    fileprivate var operationCode: AssetOperation.Code {
        switch self {
        case .reauthorizationRequired: .reauthorizationRequired
        case .brokerUnreachable: .brokerUnreachable
        case .unreachable, .cancelled: .sourceUnreachable
        case .timedOut: .sourceTimeout
        case .rejected, .tooLarge, .unsupportedType: .sourceRejected
        case .addressRefused: .sourceAddressRefused
        }
    }

    fileprivate var words: String {
        switch self {
        case .reauthorizationRequired:
            "the source no longer takes the credentials; connect it again (PATCH auth), then refresh"
        case .unreachable(let reason), .timedOut(let reason), .rejected(let reason), .addressRefused(let reason),
            .brokerUnreachable(let reason):
            reason.told
        case .tooLarge: "the source sent more bytes than a document may have (sources.maxDocumentBytes)"
        case .unsupportedType(let type): "nothing reads documents of type \(type.quoted)"
        case .cancelled: "reading the source was given up"
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
