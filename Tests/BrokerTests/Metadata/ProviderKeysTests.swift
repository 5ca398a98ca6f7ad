import JOSE
import Secrets
import Testing

@testable import Broker

@Suite struct ProviderKeysTests {
    private static let url = "https://server.example.com/jwks.json"

    private let server = ScriptedServer()
    private let clock = SetClock()
    private let directory: ProviderDirectory

    init() {
        let clock = clock
        directory = ProviderDirectory(transport: server, allowInsecure: false, now: { clock.steadyNow })
    }

    /// A key set with one key of this name.
    private static func set(_ kid: String) -> String {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
        return #"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"\#(kid)","x":"\#(x)"}]}"#
    }

    /// - Parameter refetching: a token names a key that is not among those that are known.
    private func has(_ kid: String, refetching: Bool = false) async throws -> Bool {
        try await !directory.keys(at: Self.url, where: { _ in !refetching }).keys(for: kid, .EdDSA).isEmpty
    }

    private func fault(_ url: String = Self.url, refetching: Bool = false) async -> ProviderDirectoryError? {
        do throws(ProviderDirectoryError) {
            _ = try await directory.keys(at: url, where: { _ in !refetching })
            return nil
        } catch {
            return error
        }
    }

    @Test func `a withdrawn key is gone within five minutes`() async throws {
        await server.answer(Self.url, .body(Self.set("a")))
        #expect(try await has("a"))
        await server.answer(Self.url, .body(Self.set("b")))
        clock.advance(seconds: 299)
        #expect(try await has("a"))
        #expect(await server.requests.count == 1)
        clock.advance(seconds: 1)
        #expect(try await !has("a"))
        await server.answer(Self.url, .body(#"{"keys":[]}"#))
        clock.advance(seconds: 300)
        #expect(try await !has("b"))
    }

    @Test func `keys serve for an hour while the provider does not answer, and not longer`() async throws {
        await server.answer(Self.url, .body(Self.set("a")))
        #expect(try await has("a"))
        await server.answer(Self.url, .failure(.timedOut))
        for _ in 0..<11 {
            clock.advance(seconds: 300)
            #expect(try await has("a"))
        }
        clock.advance(seconds: 299)
        #expect(try await has("a"))
        clock.advance(seconds: 1)
        #expect(await fault() == .transport(.timedOut))
    }

    @Test func `a search that fails is tried again within seconds`() async throws {
        await server.answer(Self.url, .body(Self.set("a")))
        #expect(try await has("a"))
        await server.answer(Self.url, .failure(.timedOut))
        for _ in 0..<5 { #expect(try await !has("b", refetching: true)) }
        #expect(await server.requests.count == 2)
        await server.answer(Self.url, .body(Self.set("b")))
        clock.advance(seconds: 10)
        #expect(try await has("b", refetching: true))
    }

    @Test func `an unknown key has them fetched again, once a minute`() async throws {
        await server.answer(Self.url, .body(Self.set("a")))
        #expect(try await !has("b"))
        await server.answer(Self.url, .body(Self.set("b")))
        #expect(try await has("b", refetching: true))
        #expect(await server.requests.count == 2)
        for _ in 0..<10 { #expect(try await !has("c", refetching: true)) }
        clock.advance(seconds: 59)
        #expect(try await !has("c", refetching: true))
        #expect(await server.requests.count == 2)
        clock.advance(seconds: 1)
        await server.answer(Self.url, .body(Self.set("c")))
        #expect(try await has("c", refetching: true))
        #expect(await server.requests.count == 3)
    }

    @Test func `keys that are known stay where a search fails`() async throws {
        await server.answer(Self.url, .body(Self.set("a")))
        #expect(try await has("a"))
        for answer in [ScriptedServer.Answer.failure(.unreachable), .status(500), .body("<html>")] {
            clock.advance(seconds: 61)
            await server.answer(Self.url, answer)
            #expect(try await has("a", refetching: true))
        }
        #expect(await server.requests.count == 4)
    }

    @Test func `a search holds up nobody whose key is known`() async throws {
        await server.answer(Self.url, .body(Self.set("a")))
        #expect(try await has("a"))
        await server.hold()
        let directory = directory
        let searching = Task { try await directory.keys(at: Self.url, where: { _ in false }) }
        while await server.requests.count < 2 { await Task.yield() }
        #expect(try await has("a"))
        await server.release()
        _ = try await searching.value
    }

    @Test func `however many search at once, one fetches`() async throws {
        await server.answer(Self.url, .body(Self.set("a")))
        #expect(try await has("a"))
        await server.answer(Self.url, .body(Self.set("b")))
        await server.hold()
        let directory = directory
        let found = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try await directory.keys(at: Self.url, where: { _ in false }).keys(for: "b", .EdDSA).count
                }
            }
            while await server.requests.count < 2 { await Task.yield() }
            await server.release()
            return try await group.reduce(0, +)
        }
        #expect(found == 20)
        #expect(await server.requests.count == 2)
    }

    @Test(arguments: [
        (ScriptedServer.Answer.status(404), ProviderDirectoryError.status(404)), (.status(302), .status(302)),
        (.body("[]"), .keySetMalformed), (.body(""), .keySetMalformed), (.failure(.tlsFailed), .transport(.tlsFailed)),
        (.failure(.responseTooLarge), .transport(.responseTooLarge)),
    ])
    func `an answer that is no key set is told as what it is`(
        _ answer: ScriptedServer.Answer, _ expected: ProviderDirectoryError
    ) async {
        await server.answer(Self.url, answer)
        #expect(await fault() == expected)
        // And remembered, so that a broken provider is not hammered.
        #expect(await fault(refetching: true) == expected)
        #expect(await server.requests.count == 1)
    }

    @Test func `a key set of ten megabytes is not read`() async {
        await server.answer(Self.url, .body("{\"keys\":[]" + String(repeating: " ", count: 10_000_000) + "}"))
        #expect(await fault() == .keySetMalformed)
    }

    @Test(arguments: ["http://server.example.com/jwks", "https://u@a.example/", "file:///etc/passwd", ""])
    func `an address that is not plainly https is not asked`(_ url: String) async {
        #expect(await fault(url) == .addressNotAllowed)
        #expect(await server.requests.isEmpty)
    }
}
