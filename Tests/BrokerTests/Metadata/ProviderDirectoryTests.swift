import Formats
import Testing
import Transport

@testable import Broker

@Suite struct ProviderDirectoryTests {
    private static let issuer = "https://server.example.com/a"
    private static let first = "https://server.example.com/.well-known/oauth-authorization-server/a"
    private static let second = "https://server.example.com/a/.well-known/openid-configuration"

    private let server = ScriptedServer()
    private let clock = SetClock()
    private let directory: ProviderDirectory

    init() {
        let clock = clock
        directory = ProviderDirectory(transport: server, allowInsecure: false, now: { clock.steadyNow })
    }

    private static func document(token: String = "https://server.example.com/token", issuer: String = issuer) -> String
    {
        "{\"issuer\":\"\(issuer)\",\"token_endpoint\":\"\(token)\"}"
    }

    private func fault(_ issuer: String = Self.issuer) async -> ProviderDirectoryError? {
        do throws(ProviderDirectoryError) {
            _ = try await directory.metadata(for: issuer)
            return nil
        } catch {
            return error
        }
    }

    /// RFC 8414 § 3.1.
    @Test func `a document is asked for as JSON, by GET, where RFC 8414 puts it`() async throws {
        await server.answer(Self.first, .body(Self.document()))
        let metadata = try await directory.metadata(for: Self.issuer)
        #expect(metadata.tokenEndpoint == "https://server.example.com/token")
        let requests = await server.requests
        #expect(requests.map(\.url) == [Self.first] && requests.map(\.method) == [.get])
        #expect(requests.first?.headers.map(\.name) == ["Accept"])
        #expect(requests.first?.headers.map(\.value) == ["application/json"] && requests.first?.body == nil)
    }

    @Test(arguments: [
        ScriptedServer.Answer.status(404), .status(500), .status(301), .status(204), .body("<html>"), .body(""),
        .body(document(issuer: "https://server.example.com")), .failure(.responseTooLarge),
        .body(document(token: "http://server.example.com/token")), .body(document(token: "")),
    ])
    func `OpenID's place is the second`(_ answer: ScriptedServer.Answer) async throws {
        await server.answer(Self.first, answer)
        await server.answer(Self.second, .body(Self.document()))
        let metadata = try await directory.metadata(for: Self.issuer)
        #expect(metadata.tokenEndpoint == "https://server.example.com/token")
        #expect(await server.urls == [Self.first, Self.second])
    }

    /// RFC 8414 § 3.3.
    @Test func `another issuer's document is no document`() async {
        await server.answer(Self.first, .body(Self.document(issuer: "https://evil.example")))
        #expect(await fault() == .metadata(.issuerMismatch))
    }

    @Test func `an http endpoint is no endpoint`() async throws {
        await server.answer(Self.second, .body(Self.document(token: "http://server.example.com/token")))
        #expect(try await directory.metadata(for: Self.issuer).tokenEndpoint == nil)
    }

    /// The other place may have a better one, and need not.
    @Test(arguments: [ScriptedServer.Answer.status(404), .failure(.timedOut), .body("<html>")])
    func `a document with an endpoint that cannot be used serves where there is no better one`(
        _ second: ScriptedServer.Answer
    ) async throws {
        await server.answer(
            Self.first,
            .body(
                "{\"issuer\":\"\(Self.issuer)\",\"token_endpoint\":\"\",\"jwks_uri\":\"https://server.example.com/keys\"}"
            ))
        await server.answer(Self.second, second)
        let metadata = try await directory.metadata(for: Self.issuer)
        #expect(metadata.tokenEndpoint == nil && metadata.jwksURI == "https://server.example.com/keys")
        #expect(await server.urls == [Self.first, Self.second])
    }

    @Test func `what counts as absent is told once, however often the document is fetched`() async throws {
        let (clock, told) = (clock, ToldIncidents())
        let directory = ProviderDirectory(
            transport: server, allowInsecure: false, now: { clock.steadyNow }, tell: { told.keep($0) })
        let odd = { (more: String) in
            "{\"issuer\":\"\(Self.issuer)\",\"token_endpoint\":\"https://server.example.com/token\",\(more)}"
        }
        await server.answer(Self.first, .body(odd(#""revocation_endpoint":"","mtls_endpoint_aliases":[]"#)))
        for _ in 0..<3 {
            #expect(try await directory.metadata(for: Self.issuer).tokenEndpoint != nil)
            clock.advance(seconds: 3601)
        }
        #expect(await server.requests.count == 3)
        #expect(told.all.map(\.kind) == [.faultyMetadata])
        #expect(
            told.all.first?.reason.description == """
                the provider's metadata: "revocation_endpoint" is no https address, \
                "mtls_endpoint_aliases" is malformed: \
                they count as absent ("\(Self.issuer)")
                """)
        await server.answer(Self.first, .body(odd(#""revocation_endpoint":7"#)))
        _ = try await directory.metadata(for: Self.issuer)
        #expect(told.all.count == 2)
    }

    @Test(arguments: [
        TransportError.timedOut, .unreachable, .tlsFailed, .addressNotAllowed, .cancelled, .malformedResponse,
    ])
    func `a provider that cannot be reached is asked once, and says why`(_ error: TransportError) async {
        await server.answer(Self.first, .failure(error))
        await server.answer(Self.second, .body(Self.document()))
        #expect(await fault() == .transport(error))
        #expect(await server.urls == [Self.first])
    }

    @Test func `without a document the status is told`() async {
        await server.answer(Self.second, .status(503))
        #expect(await fault() == .status(503))
    }

    @Test(arguments: [
        "http://server.example.com", "server.example.com", "https://u@server.example.com", "https://a.example?b", "",
    ])
    func `what is no issuer is not asked`(_ issuer: String) async {
        #expect(await fault(issuer) == .addressNotAllowed)
        #expect(await server.requests.isEmpty)
    }

    @Test func `http is asked in trials alone`() async throws {
        let clock = clock
        let trial = ProviderDirectory(transport: server, allowInsecure: true, now: { clock.steadyNow })
        let issuer = "http://127.0.0.1:8081"
        await server.answer(
            "\(issuer)/.well-known/oauth-authorization-server",
            .body(Self.document(token: "\(issuer)/token", issuer: issuer)))
        #expect(try await trial.metadata(for: issuer).tokenEndpoint == "\(issuer)/token")
    }

    @Test func `a document serves for an hour`() async throws {
        await server.answer(Self.first, .body(Self.document()))
        _ = try await directory.metadata(for: Self.issuer)
        clock.advance(seconds: 3599)
        _ = try await directory.metadata(for: Self.issuer)
        #expect(await server.requests.count == 1)
        await server.answer(Self.first, .body(Self.document(token: "https://server.example.com/new")))
        clock.advance(seconds: 1)
        #expect(try await directory.metadata(for: Self.issuer).tokenEndpoint == "https://server.example.com/new")
        #expect(await server.requests.count == 2)
    }

    @Test func `an old document serves for a day where no new one comes`() async throws {
        await server.answer(Self.first, .body(Self.document()))
        _ = try await directory.metadata(for: Self.issuer)
        await server.answer(Self.first, .failure(.unreachable))
        clock.advance(seconds: 3600)
        #expect(await fault() == nil)
        #expect(await server.requests.count == 2)
        clock.advance(seconds: 86_400 - 3600 - 1)
        #expect(await fault() == nil)
        clock.advance(seconds: 1)
        #expect(await fault() == .transport(.unreachable))
    }

    @Test func `a provider that is down is asked every ten seconds`() async throws {
        await server.answer(Self.first, .failure(.timedOut))
        for _ in 0..<5 { #expect(await fault() == .transport(.timedOut)) }
        #expect(await server.requests.count == 1)
        clock.advance(seconds: 9)
        await server.answer(Self.first, .body(Self.document()))
        #expect(await fault() == .transport(.timedOut))
        clock.advance(seconds: 1)
        #expect(await fault() == nil)
        #expect(await server.requests.count == 2)
    }

    @Test func `an old document is not fetched again by every flow while the provider is down`() async throws {
        await server.answer(Self.first, .body(Self.document()))
        _ = try await directory.metadata(for: Self.issuer)
        clock.advance(seconds: 4000)
        await server.answer(Self.first, .failure(.timedOut))
        for _ in 0..<5 { #expect(await fault() == nil) }
        #expect(await server.requests.count == 2)
    }

    @Test(arguments: [-10_000, 10_000])
    func `a clock that is set makes nothing last longer or shorter`(_ seconds: Int64) async throws {
        await server.answer(Self.first, .body(Self.document()))
        _ = try await directory.metadata(for: Self.issuer)
        clock.set(bySeconds: seconds)
        clock.advance(seconds: 3599)
        _ = try await directory.metadata(for: Self.issuer)
        #expect(await server.requests.count == 1)
        clock.advance(seconds: 1)
        _ = try await directory.metadata(for: Self.issuer)
        #expect(await server.requests.count == 2)
    }

    /// That one tenant has no turn says nothing of the provider.
    @Test func `a fetch that had no turn is not remembered, and who waited for it fetches in the own turn`()
        async throws
    {
        let tenant = try #require(TenantID("acme"))
        await server.answer(Self.first, .failure(.rateLimited))
        do throws(ProviderDirectoryError) {
            _ = try await directory.metadata(for: Self.issuer, cause: .call(tenant, until: .now))
            Issue.record("nothing was refused")
        } catch {
            #expect(error == .transport(.rateLimited))
        }
        await server.hold()
        let directory = directory
        let other = Task { try await directory.metadata(for: Self.issuer, cause: .flow(tenant)).tokenEndpoint }
        while await server.requests.count < 3 { await Task.yield() }
        await server.answer(Self.first, .body(Self.document()))
        await server.release()
        #expect(try await other.value == "https://server.example.com/token")
    }

    /// A fetch waits for the turn of whoever it is made for.
    @Test func `nobody waits for another tenant's fetch`() async throws {
        let (first, other) = (try #require(TenantID("first")), try #require(TenantID("other")))
        await server.answer(Self.first, .body(Self.document()))
        await server.hold()
        let directory = directory
        let fetches = [Cause.call(first, until: .now), .flow(other), .flow(other)].map { cause in
            Task { try await directory.metadata(for: Self.issuer, cause: cause).tokenEndpoint }
        }
        while await server.requests.count < 2 { await Task.yield() }
        await server.release()
        for fetch in fetches { #expect(try await fetch.value == "https://server.example.com/token") }
        #expect(await server.requests.count == 2)
    }

    @Test func `however many ask at once, one fetches`() async throws {
        await server.answer(Self.first, .body(Self.document()))
        await server.hold()
        let directory = directory
        let answers = try await withThrowingTaskGroup(of: String?.self) { group in
            for _ in 0..<50 {
                group.addTask { try await directory.metadata(for: Self.issuer).tokenEndpoint }
            }
            while await server.requests.isEmpty { await Task.yield() }
            await server.release()
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers == [String?](repeating: "https://server.example.com/token", count: 50))
        #expect(await server.requests.count == 1)
    }

    @Test func `a caller that gives up does not end the fetch for the others`() async throws {
        await server.answer(Self.first, .body(Self.document()))
        await server.hold()
        let directory = directory
        let impatient = Task { try await directory.metadata(for: Self.issuer) }
        while await server.requests.isEmpty { await Task.yield() }
        impatient.cancel()
        let patient = Task { try await directory.metadata(for: Self.issuer).tokenEndpoint }
        await server.release()
        #expect(try await patient.value == "https://server.example.com/token")
        #expect(await server.requests.count == 1)
    }

    /// Parameters of a flow may choose the issuer.
    @Test func `a thousand issuers are remembered, the ones used last`() async throws {
        let clock = clock
        let cache = ProviderCache<Int>.forProviders(
            fresh: .seconds(3600), stale: .seconds(3600), now: { clock.steadyNow }, servingStale: { _, _ in })
        for number in 0..<1500 { _ = try await cache.value(for: "\(number)") { number } }
        #expect(cache.count == 1000)
        let still = try await cache.value(for: "1499") { -1 }
        let gone = try await cache.value(for: "0") { -1 }
        #expect(still == 1499 && gone == -1)
        #expect(cache.count == 1000)
    }

    /// Of servers that are found, whoever runs one names the issuers, and nothing of them serves twice.
    @Test(arguments: [(true, 100...100), (false, 0...8)])
    func `metadata that is not used again takes no room`(_ isCaching: Bool, _ kept: ClosedRange<Int>) async throws {
        let directory = ProviderDirectory(
            transport: server, allowInsecure: false, now: { [clock] in clock.steadyNow }, isCaching: isCaching)
        for number in 0..<100 {
            let issuer = "https://server.example.com/\(number)"
            await server.answer(
                "https://server.example.com/.well-known/oauth-authorization-server/\(number)",
                .body(Self.document(issuer: issuer)))
            _ = try await directory.metadata(for: issuer)
        }
        #expect(kept.contains(directory.keptCount))
    }
}
