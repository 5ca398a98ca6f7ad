import Assets
import Testing

@Suite struct OperationOutcomeTests {
    private static let listed = IngestionEnd.listed(isComplete: true, keepsVanished: false, isFull: false)
    private static let full = IngestionEnd.listed(isComplete: true, keepsVanished: false, isFull: true)

    private func facts(
        worked: Int = 0, failed: Int = 0, firstFailure: String? = nil, fullAt: Int? = nil, isIncomplete: Bool = false,
        isChosen: Bool = false, isCancelRequested: Bool = false
    ) -> OperationOutcome.Facts {
        OperationOutcome.Facts(
            worked: worked, failed: failed, firstFailure: firstFailure, fullAt: fullAt, isIncomplete: isIncomplete,
            isChosen: isChosen, isCancelRequested: isCancelRequested)
    }

    @Test(arguments: [0, 1, 5])
    func `where none failed, it is COMPLETED`(_ worked: Int) {
        let outcome = OperationOutcome(Self.listed, facts(worked: worked))
        #expect((outcome.status, outcome.failure, outcome.embeddingStatus) == (.completed, nil, .completed))
    }

    @Test func `where one of several worked, it is COMPLETED and the asset PARTIAL`() {
        let outcome = OperationOutcome(Self.listed, facts(worked: 1, failed: 2, firstFailure: "\"a\": broken"))
        #expect((outcome.status, outcome.embeddingStatus) == (.completed, .partial))
        let message = "2 of 3 documents failed, the first: \"a\": broken"
        #expect(outcome.failure == AssetOperation.Failure(.documentsFailed, message))
    }

    @Test(arguments: [(1, "1 of 1 document failed"), (2, "2 of 2 documents failed")])
    func `where none worked, it is FAILED`(_ failed: Int, _ message: String) {
        let outcome = OperationOutcome(Self.listed, facts(failed: failed))
        #expect((outcome.status, outcome.embeddingStatus) == (.failed, .failed))
        #expect(outcome.failure == AssetOperation.Failure(.documentsFailed, message))
    }

    @Test func `a source with more documents than may be says so`() {
        let message = "the source has more documents than the limit of 3 allows: the rest was not read"
        for end in [Self.listed, Self.full] {
            let outcome = OperationOutcome(end, facts(worked: 3, fullAt: 3))
            #expect((outcome.status, outcome.embeddingStatus) == (.completed, .completed))
            #expect(outcome.failure == AssetOperation.Failure(.tooManyDocuments, message))
            #expect(!outcome.removesVanished)
        }
        let unnumbered = OperationOutcome(Self.full, facts(worked: 3)).failure
        #expect(unnumbered?.message == "the source has more documents than the limit allows: the rest was not read")
    }

    /// The contract has one code for both; failures are what callers can mend.
    @Test func `failures and too many documents are both told`() {
        let outcome = OperationOutcome(Self.full, facts(worked: 2, failed: 1, fullAt: 3))
        #expect(outcome.failure?.code == .documentsFailed)
        #expect(outcome.failure?.message.hasPrefix("1 of 3 documents failed; the source has more") == true)
    }

    @Test func `a failure of all is told as it is`() {
        let failure = AssetOperation.Failure(.reauthorizationRequired, "connect again")
        let outcome = OperationOutcome(.failed(failure), facts(worked: 5, failed: 1))
        #expect((outcome.status, outcome.failure, outcome.embeddingStatus) == (.failed, failure, .failed))
        #expect(!outcome.removesVanished)
    }

    @Test(arguments: [listed, full, .cancelled, .failed(AssetOperation.Failure(.internalError, "lost"))])
    func `a wish to end counts for more than how it ended`(_ end: IngestionEnd) {
        let outcome = OperationOutcome(end, facts(worked: 1, failed: 1, isCancelRequested: true))
        #expect((outcome.status, outcome.failure, outcome.embeddingStatus) == (.cancelled, nil, .cancelled))
        #expect(!outcome.removesVanished)
    }

    @Test func `one that ended itself is CANCELLED too`() {
        #expect(OperationOutcome(.cancelled, facts()) == .cancelled)
    }

    @Test func `a complete listing removes what has vanished`() {
        #expect(OperationOutcome(Self.listed, facts()).removesVanished)
        #expect(OperationOutcome(Self.listed, facts(failed: 1)).removesVanished)
    }

    @Test func `nothing is removed where something may have been missed`() {
        let ends: [IngestionEnd] = [
            .listed(isComplete: false, keepsVanished: false, isFull: false),
            .listed(isComplete: true, keepsVanished: true, isFull: false), Self.full, .cancelled,
        ]
        for end in ends { #expect(!OperationOutcome(end, facts()).removesVanished) }
        for facts in [facts(fullAt: 1), facts(isIncomplete: true), facts(isChosen: true)] {
            #expect(!OperationOutcome(Self.listed, facts).removesVanished)
        }
    }

    @Test(arguments: Document.Code.allCases)
    func `what was never fetched may have led to more`(_ code: Document.Code) {
        let unread: Set<Document.Code> = [.sourceUnreachable, .sourceTimeout, .sourceRejected, .tooLarge, .crashed]
        #expect(Document.Failure(code, "").leftUnread == unread.contains(code))
    }
}
