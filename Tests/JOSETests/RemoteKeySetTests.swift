import Formats
import Foundation
import Secrets
import TestSupport
import Testing
import Transport

@testable import JOSE

/// The turn that a request for keys goes in. What callers' issuers and providers have in common is tested at
/// `IssuerKeysTests` and `ProviderKeysTests`.
@Suite struct RemoteKeySetTests {
    private static let body = """
        {"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}
        """

    private let server = KeyServer()
    private let clock = SteadyClock()
    private let set: RemoteKeySet

    init() {
        let clock = clock
        set = RemoteKeySet(.providers, now: { clock.now })
    }

    private func number(
        in turn: RemoteKeySet.Turn = .everybody, where sufficient: @Sendable (JSONWebKeySet) -> Bool = { _ in true }
    ) async throws(RemoteKeySet.Fault) -> Int {
        let server = server
        return try await set.believed(in: turn, where: sufficient) { () async throws(TransportError) in
            try await server.send()
        }.number
    }

    private func fault(in turn: RemoteKeySet.Turn = .everybody) async -> RemoteKeySet.Fault? {
        do throws(RemoteKeySet.Fault) {
            _ = try await number(in: turn)
            return nil
        } catch {
            return error
        }
    }

    @Test func `nobody waits for a request in another's turn`() async throws {
        let turns = ["first", "other", "other", "first", "other", "first"].map { RemoteKeySet.Turn.own($0) }
        await server.answer(.body(Self.body))
        await server.hold()
        var waiting: [Task<Int, any Error>] = []
        for turn in turns {
            waiting.append(Task { try await number(in: turn) })
            // Those that come later join one of the two: they are let run as far as they get.
            while await server.count < min(waiting.count, 2) { await Task.yield() }
            if waiting.count > 2 { for _ in 0..<100 { await Task.yield() } }
        }
        await server.release()
        for task in waiting { _ = try await task.value }
        #expect(await server.count == 2)
    }

    @Test func `that one tenant has no turn says nothing of the issuer`() async throws {
        await server.answer(.failure(.rateLimited))
        #expect(await fault() == .transport(.rateLimited))
        await server.answer(.body(Self.body))
        #expect(await fault() == nil)
    }

    @Test func `the reason of a failure is told for as long as nobody is asked again`() async throws {
        await server.answer(.status(503))
        for _ in 0..<3 { #expect(await fault() == .status(503)) }
        #expect(await server.count == 1)
        clock.advance(.seconds(10))
        await server.answer(.body("<html>"))
        for _ in 0..<3 { #expect(await fault() == .malformed) }
        #expect(await server.count == 2)
    }

    @Test func `the same answer again is the same generation`() async throws {
        await server.answer(.body(Self.body))
        let first = try await number()
        clock.advance(.seconds(300))
        #expect(try await number() == first)
        #expect(await server.count == 2)
        await server.answer(.body(Self.body + " "))
        clock.advance(.seconds(300))
        #expect(try await number() != first)
    }

    /// Parameters of a flow may choose the address.
    @Test func `a thousand sets are remembered, the ones used last`() {
        let sets = RemoteKeySets(.providers, now: { .now })
        let first = sets["0"]
        for number in 1..<1000 { _ = sets["\(number)"] }
        #expect(sets["0"] === first)
        for number in 1000..<1500 { _ = sets["\(number)"] }
        #expect(sets["0"] === first && sets.count == 1000)
        for number in 1500..<2500 { _ = sets["\(number)"] }
        #expect(sets["0"] !== first && sets.count == 1000)
    }
}

/// Answers as a test says, and counts how often it was asked.
private actor KeyServer {
    enum Answer: Sendable {
        case body(String)
        case status(Int)
        case failure(TransportError)
    }

    private var answer = Answer.status(404)
    private(set) var count = 0
    private var isHeld = false
    private var held: [CheckedContinuation<Void, Never>] = []

    func answer(_ answer: Answer) { self.answer = answer }

    /// Nothing is answered until `release`.
    func hold() { isHeld = true }

    func release() {
        isHeld = false
        for continuation in held { continuation.resume() }
        held = []
    }

    func send() async throws(TransportError) -> TransportResponse {
        count += 1
        if isHeld { await withCheckedContinuation { held.append($0) } }
        switch answer {
        case .body(let text): return TransportResponse(status: 200, body: Array(text.utf8))
        case .status(let status): return TransportResponse(status: status)
        case .failure(let error): throw error
        }
    }
}
