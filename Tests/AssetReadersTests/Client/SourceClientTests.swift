import Assets
import Formats
import Secrets
import TestSupport
import Testing
import Transport

@testable import AssetReaders

@Suite struct SourceClientTests {
    private static let url = "https://api.example/x"
    private static let request = TransportRequest(method: .get, url: url)
    private let sources = TestSources()

    private func send(_ retry: RetryPolicy = RetryPolicy()) async throws(SourceFault) -> Int {
        try await sources.client(retry).send(Self.request).status
    }

    @Test(arguments: [429, 500, 502, 503, 504])
    func `an answer that may mend is asked for again`(_ status: Int) async throws {
        sources.transport.answer(Self.url, .status(status), .status(200))
        #expect(try await send() == 200)
        #expect(sources.transport.requests.count == 2)
    }

    @Test(arguments: [200, 301, 400, 401, 403, 404, 409, 501])
    func `an answer that does not mend is asked for once`(_ status: Int) async throws {
        sources.transport.answer(Self.url, .status(status))
        #expect(try await send() == status)
        #expect(sources.transport.requests.count == 1)
    }

    @Test(arguments: [
        TransportError.unreachable, .connectionRefused, .nameNotResolved, .overloaded, .rateLimited, .proxyFailed,
    ])
    func `a broken connection is tried again`(_ error: TransportError) async throws {
        sources.transport.answer(Self.url, .failure(error), .status(200))
        #expect(try await send() == 200)
    }

    @Test(arguments: [
        TransportError.timedOut, .tlsFailed, .addressNotAllowed, .responseTooLarge, .malformedResponse, .cancelled,
    ])
    func `what trying again does not mend is tried once`(_ error: TransportError) async {
        sources.transport.answer(Self.url, .failure(error))
        #expect(await fault { () async throws(SourceFault) in try await send() } != nil)
        #expect(sources.transport.requests.count == 1)
    }

    @Test func `after all tries the last answer counts`() async throws {
        sources.transport.answer(Self.url, .status(503), .status(502), .status(500))
        #expect(try await send(RetryPolicy(attempts: 3)) == 500)
        #expect(sources.transport.requests.count == 3)
    }

    @Test func `after all tries a broken connection is unreachable`() async {
        sources.transport.answer(Self.url, .failure(.unreachable))
        let fault = await fault { () async throws(SourceFault) in try await send(RetryPolicy(attempts: 2)) }
        #expect(fault == .unreachable("the connection to api.example broke"))
        #expect(sources.transport.requests.count == 2)
    }

    @Test func `waits are the base, doubled each time, up to the longest`() async throws {
        sources.transport.answer(Self.url, .status(500))
        _ = try await send(RetryPolicy(attempts: 6, base: .seconds(2), longest: .seconds(20)))
        #expect(sources.waited == [.seconds(2), .seconds(4), .seconds(8), .seconds(16), .seconds(20)])
    }

    @Test(arguments: [(0.0, 1000), (0.5, 1125), (1.0, 1250), (7.0, 1250)])
    func `chance adds up to a quarter to a wait`(_ random: Double, _ expected: Int) {
        let wait = RetryPolicy().wait(
            after: .success(TransportResponse(status: 500)), try: 1, at: TestSources.now, random: random)
        #expect(wait == .milliseconds(expected))
    }

    /// RFC 9110 § 10.2.3; `TestSources.now` is Fri, 15 Jan 2027 08:00:00 GMT.
    @Test(arguments: [
        ([("retry-after", "7")], 7), ([("retry-after", "0")], 0), ([("retry-after", "600")], 60),
        ([("retry-after", "99999999999999999999999")], 60), ([("retry-after", "Fri, 15 Jan 2027 08:00:09 GMT")], 9),
        ([("retry-after", "Fri, 15 Jan 2027 07:00:00 GMT")], 0), ([("retry-after", "soon")], 1),
        ([("retry-after", "-3")], 1),
        // Of the source's clock, which is an hour behind.
        ([("retry-after", "Fri, 15 Jan 2027 07:00:30 GMT"), ("date", "Fri, 15 Jan 2027 07:00:00 GMT")], 30),
        ([("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1800000012")], 12),
        ([("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1800003600")], 60),
        ([("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1799999999")], 0),
        ([("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "25")], 25),
        // The limit is not what stands in the way.
        ([("x-ratelimit-remaining", "4999"), ("x-ratelimit-reset", "1800000012")], 1),
        ([("retry-after", "3"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1800000012")], 3),
    ])
    func `a wait that the source names is kept, up to the longest`(
        _ headers: [(String, String)], _ seconds: Int
    ) async throws {
        sources.transport.answer(Self.url, .status(429, headers.map { (name: $0.0, value: $0.1) }), .status(200))
        #expect(try await send() == 200)
        #expect(sources.waited == [.seconds(seconds)])
    }

    /// GitHub: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    @Test(arguments: [
        ([("x-ratelimit-remaining", "0")], ""), ([("retry-after", "1")], ""),
        ([], #"{"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}"#),
        ([], #"{"message": "API rate limit exceeded for installation ID 1."}"#),
        ([], #"{"message": "You have triggered an abuse detection mechanism."}"#),
        ([], #"{"error": {"code": 403, "errors": [{"reason": "rateLimitExceeded"}]}}"#),
        ([], #"{"error": {"code": 403, "errors": [{"domain": "x"}, {"reason": "userRateLimitExceeded"}]}}"#),
    ])
    func `403 with signs of a limit is tried again`(_ headers: [(String, String)], _ body: String) async throws {
        let answer = ScriptedTransport.Answer.status(403, headers.map { (name: $0.0, value: $0.1) }, body)
        sources.transport.answer(Self.url, answer, .status(200))
        #expect(try await send() == 200)
    }

    @Test(arguments: [
        "", "rate limit", "[]", #"{"message": "Resource not accessible"}"#,
        #"{"error": {"errors": [{"reason": "insufficientFilePermissions"}]}}"#,
        #"{"message": "rate limit"# + String(repeating: " ", count: 70_000) + "\"}",
    ])
    func `403 without signs of a limit is final`(_ body: String) async throws {
        sources.transport.answer(Self.url, .status(403, [("x-ratelimit-remaining", "12")], body))
        #expect(try await send() == 403)
        #expect(sources.transport.requests.count == 1)
    }

    @Test func `a task that is cancelled while it waits sends nothing more`() async {
        sources.transport.answer(Self.url, .status(503))
        let (sources, gate) = (sources, Gate())
        let task = Task {
            await gate.pass()
            return await fault { () async throws(SourceFault) in try await sources.client().send(Self.request) }
        }
        task.cancel()
        gate.open()
        #expect(await task.value == .cancelled)
        #expect(sources.transport.requests.count == 1)
    }

    @Test(arguments: [
        (TransportError.timedOut, SourceFault.timedOut("api.example took too long to answer")),
        (.tlsFailed, .unreachable("no secure connection to api.example: TLS failed, or its certificate is wrong")),
        (
            .addressNotAllowed,
            .addressRefused("the address of api.example is not allowed: it is private, loopback, or not https")
        ),
        (.responseTooLarge, .tooLarge), (.cancelled, .cancelled),
        (.malformedResponse, .rejected("the answer of api.example is not HTTP, or cannot be unpacked")),
        (.nameNotResolved, .unreachable("the name api.example does not resolve")),
    ])
    func `a missing answer is told by its kind`(_ error: TransportError, _ expected: SourceFault) async {
        sources.transport.answer(Self.url, .failure(error))
        let fault = await fault { () async throws(SourceFault) in try await send(RetryPolicy(attempts: 1)) }
        #expect(fault == expected)
    }
}
