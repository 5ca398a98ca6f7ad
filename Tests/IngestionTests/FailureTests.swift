import Assets
import Secrets
import Testing

/// What fails one document, and what fails all.
@Suite struct FailureTests {
    @Test(arguments: [
        (SourceFault.unreachable("nothing listens"), Document.Code.sourceUnreachable),
        (.timedOut("too slow"), .sourceTimeout), (.rejected("answered 500"), .sourceRejected),
        (.addressRefused("private"), .sourceAddressRefused), (.tooLarge, .tooLarge),
        (.unsupportedType("video/mp4"), .unsupportedType),
    ])
    func `a document that cannot be read fails, others go on`(_ fault: SourceFault, _ code: Document.Code) async throws
    {
        let source = ScriptedSource(["a": "one", "b": "two"])
        source.change { $0["a"]?.fault = fault }
        let shop = try await Workshop(["Handbook": source])
        let (asset, ended) = try await shop.ingest("Handbook")
        #expect(ended.status == .completed)
        #expect(ended.failure?.code == .documentsFailed)
        #expect(ended.counters.itemsProcessed == 2)
        #expect(ended.counters.itemsFailed == 1)
        let document = try await shop.document("a", of: asset)
        #expect(document.status == .failed)
        #expect(document.failure?.code == code)
        #expect(try await shop.document("b", of: asset).status == .completed)
        await shop.close()
    }

    @Test func `an operation whose documents all fail is FAILED`() async throws {
        let source = ScriptedSource(["a": "one", "b": "two"])
        source.change { script in for key in ["a", "b"] { script[key]?.fault = .rejected("answered 500") } }
        let shop = try await Workshop(["Handbook": source])
        let (_, ended) = try await shop.ingest("Handbook")
        #expect(ended.status == .failed)
        #expect(ended.failure?.code == .documentsFailed)
        await shop.close()
    }

    @Test func `a document that the extractor cannot read fails`() async throws {
        let shop = try await Workshop(["Handbook": ScriptedSource(["a": "o\0ne", "b": "two"])])
        let (asset, ended) = try await shop.ingest("Handbook")
        #expect(ended.counters.itemsFailed == 1)
        #expect(try await shop.document("a", of: asset).failure?.code == .unreadable)
        await shop.close()
    }

    @Test func `a document larger than may be fails`() async throws {
        let source = ScriptedSource(["a": "0123456789", "b": "0123456789+"])
        let shop = try await Workshop(["Handbook": source], maxDocumentBytes: 10)
        let (asset, _) = try await shop.ingest("Handbook")
        #expect(try await shop.document("a", of: asset).status == .completed)
        let failure = try await shop.document("b", of: asset).failure
        #expect(failure?.code == .tooLarge)
        #expect(failure?.message == "the document has more than 10 bytes (sources.maxDocumentBytes)")
        await shop.close()
    }

    @Test(arguments: [
        (SourceFault.reauthorizationRequired, AssetOperation.Code.reauthorizationRequired),
        (.brokerUnreachable("no answer"), .brokerUnreachable),
    ])
    func `a fault of the credentials fails the operation`(
        _ fault: SourceFault, _ code: AssetOperation.Code
    ) async throws {
        let source = ScriptedSource(["a": "one", "b": "two"])
        source.change { $0["b"]?.fault = fault }
        let shop = try await Workshop(["Handbook": source], documents: 1)
        let (asset, ended) = try await shop.ingest("Handbook")
        #expect(ended.status == .failed)
        #expect(ended.failure?.code == code)
        #expect(ended.counters.itemsProcessed == 1)
        #expect(try await shop.documents(of: asset).map(\.fileName) == ["a.txt"])
        await shop.close()
    }

    @Test(arguments: [
        (SourceFault.unreachable("nothing listens"), AssetOperation.Code.sourceUnreachable),
        (.timedOut("too slow"), .sourceTimeout), (.rejected("answered 500"), .sourceRejected),
        (.addressRefused("private"), .sourceAddressRefused), (.tooLarge, .sourceRejected),
        (.reauthorizationRequired, .reauthorizationRequired), (.brokerUnreachable("no answer"), .brokerUnreachable),
    ])
    func `a source that cannot be listed fails the operation`(
        _ fault: SourceFault, _ code: AssetOperation.Code
    ) async throws {
        let source = ScriptedSource(["a": "one"])
        source.change { $0.listingFault = fault }
        let shop = try await Workshop(["Handbook": source])
        let (asset, ended) = try await shop.ingest("Handbook")
        #expect(ended.status == .failed)
        #expect(ended.failure?.code == code)
        #expect(try await shop.documents(of: asset).isEmpty)
        await shop.close()
    }

    @Test func `where the source itself cannot be read, the operation fails with that reason and no document`()
        async throws
    {
        let source = ScriptedSource()
        source.change { $0["home"] = .init(text: "", version: "", isWholeSource: true, fault: .timedOut("too slow")) }
        let shop = try await Workshop(["Site": source])
        let (asset, ended) = try await shop.ingest("Site")
        #expect(ended.status == .failed)
        #expect(ended.failure == AssetOperation.Failure(.sourceTimeout, "too slow"))
        #expect(try await shop.documents(of: asset).isEmpty)
        await shop.close()
    }

    @Test func `where the source itself is nothing, the operation fails`() async throws {
        let source = ScriptedSource()
        source.change { $0["home"] = .init(text: "", version: "", isWholeSource: true, outcome: .absent) }
        let shop = try await Workshop(["Site": source])
        let (_, ended) = try await shop.ingest("Site")
        #expect(ended.failure?.code == .sourceRejected)
        await shop.close()
    }

    @Test func `a source type that nothing reads any more fails the operation, and the log has its id`() async throws {
        let shop = try await Workshop([:])
        let (_, ended) = try await shop.ingest("Handbook")
        #expect(ended.status == .failed)
        #expect(ended.failure?.code == .internalError)
        let told = await shop.event { event -> IngestionEvent.InternalError? in
            if case .internalError(ended.id, let error) = event { error } else { nil }
        }
        #expect(told == .noReader(sourceType: "website"))
        await shop.close()
    }

    @Test func `a source that says unchanged where nothing is kept fails its document`() async throws {
        let source = ScriptedSource(["a": "one"])
        source.change { $0["a"]?.outcome = .unchanged(nil) }
        let shop = try await Workshop(["Handbook": source])
        let (asset, _) = try await shop.ingest("Handbook")
        #expect(try await shop.document("a", of: asset).failure?.code == .sourceRejected)
        await shop.close()
    }

    @Test func `a reason is told on one line, and cut short`() async throws {
        let source = ScriptedSource(["a": "one"])
        source.change { $0.listingFault = .rejected("\u{1B}[2J\n" + String(repeating: "x", count: 10_000)) }
        let shop = try await Workshop(["Handbook": source])
        let (_, ended) = try await shop.ingest("Handbook")
        let message = try #require(ended.failure?.message)
        #expect(message.hasPrefix("\\u{1B}[2J\\u{A}xxx"))
        #expect(message.utf8.count < 400)
        await shop.close()
    }
}
