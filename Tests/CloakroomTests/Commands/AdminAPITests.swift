import Broker
import Daemon
import Foundation
import Testing
import Transport

@testable import cloakroom

/// A broker's admin API that answers what a test says, one answer after the other, and keeps what it was asked.
private actor ScriptedBroker: HTTPTransport {
    typealias Answer = (status: Int, body: String)

    private(set) var requests: [TransportRequest] = []
    private var answers: [Answer]
    private let failure: TransportError?

    init(_ answers: [Answer], failure: TransportError? = nil) {
        self.answers = answers
        self.failure = failure
    }

    func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
        requests.append(request)
        if let failure { throw failure }
        // The last one again and again.
        let answer = answers.count > 1 ? answers.removeFirst() : answers[0]
        return TransportResponse(status: answer.status, body: Array(answer.body.utf8))
    }

    nonisolated var api: AdminAPI { AdminAPI(base: "https://b.example/base", token: "t0ken", transport: self) }

    var urls: [String] { requests.map(\.url) }
}

@Suite struct AdminAPITests {
    @Test func `a call goes to the admin API with the token, and what is absent is left out`() async throws {
        let broker = ScriptedBroker([(200, "{}")])
        _ = try await broker.api.call(
            .post, "revocations", query: [("tenant", "a&b=c/ü"), ("type", nil)], body: .object(["all": .bool(true)]))
        let request = try #require(await broker.requests.first)
        #expect(request.method == .post)
        #expect(request.url == "https://b.example/base/v1/admin/revocations?tenant=a%26b%3Dc%2F%C3%BC")
        let headers = Dictionary(request.headers.map { ($0.name, $0.value) }) { first, _ in first }
        #expect(headers["Authorization"] == "Bearer t0ken" && headers["Accept"] == "application/json")
        #expect(headers["Content-Type"] == "application/json")
        #expect(String(decoding: request.body ?? [], as: UTF8.self) == #"{"all":true}"#)
    }

    @Test func `a call without a body says nothing about one`() async throws {
        let broker = ScriptedBroker([(204, "")])
        #expect(try await broker.api.call(.delete, "tenants/t/clients/s") == nil)
        let request = try #require(await broker.requests.first)
        #expect(request.body == nil && !request.headers.contains { $0.name == "Content-Type" })
    }

    // MARK: pages

    private static func page(_ ids: [Int], next: String?) -> ScriptedBroker.Answer {
        let items = ids.map { #"{"id":"\#($0)"}"# }.joined(separator: ",")
        return (200, #"{"items":[\#(items)],"nextPageToken":\#(next.map { "\"\($0)\"" } ?? "null")}"#)
    }

    @Test func `a list is read page by page to its end, over empty pages too`() async throws {
        let broker = ScriptedBroker([
            Self.page([1, 2], next: "p2"), Self.page([], next: "p3"), Self.page([3], next: nil),
        ])
        let items = try await broker.api.items("credentialKeys", query: [("tenant", "t"), ("sourceType", nil)])
        #expect(items.map { $0.text("id") } == ["1", "2", "3"])
        let list = "https://b.example/base/v1/admin/credentialKeys?tenant=t&pageSize=1000"
        #expect(await broker.urls == [list, list + "&pageToken=p2", list + "&pageToken=p3"])
    }

    @Test func `no more is asked for than is wanted, and a page holds at most 1000`() async throws {
        let broker = ScriptedBroker([
            Self.page(Array(0..<1000), next: "p2"), Self.page(Array(0..<500), next: "p3"),
        ])
        let items = try await broker.api.items("auditEvents", query: [], limit: 1500)
        #expect(items.count == 1500)
        #expect(await broker.urls.map { $0.contains("pageSize=1000") } == [true, false])
        #expect(await broker.urls.last?.contains("pageSize=500") == true)
    }

    @Test func `a broker that gives more than was asked for gives no more than is wanted`() async throws {
        let broker = ScriptedBroker([Self.page([1, 2, 3], next: nil)])
        #expect(try await broker.api.items("auditEvents", query: [], limit: 2).count == 2)
    }

    @Test func `a list that comes back to the same page is given up`() async throws {
        let broker = ScriptedBroker([Self.page([1], next: "again")])
        let refusal = await #expect(throws: Refusal.self) { try await broker.api.items("auditEvents", query: []) }
        #expect(refusal?.lines.first?.contains("does not end") == true)
        #expect(await broker.requests.count == 2)
    }

    @Test func `of more new events than a page has, all are followed`() async throws {
        let broker = ScriptedBroker([
            Self.page((1501...2500).reversed(), next: "p2"), Self.page((1...1500).reversed(), next: nil),
        ])
        var seen = SeenEvents(since: 7)
        let new = try await seen.next(from: broker.api) { [("since", String($0))] }
        #expect(new.map { $0.text("id") } == (1...2500).map { String($0) })
        #expect(await broker.urls.first?.contains("since=7") == true)
    }

    @Test(arguments: ["", "[]", "{}", #"{"items":{}}"#, "<html>"])
    func `what is no list is told`(_ body: String) async throws {
        let refusal = await #expect(throws: Refusal.self) {
            try await ScriptedBroker([(200, body)]).api.items("auditEvents", query: [])
        }
        #expect(refusal?.lines.first?.contains("not a list") == true)
    }

    // MARK: refusals

    static let problem = #"{"code":"c0de","detail":"d3tail","requestId":"r1"}"#

    @Test(
        arguments: [
            (401, problem, "c0de: d3tail (request r1)", "new token"),
            (403, problem, "c0de: d3tail (request r1)", "broker:admin"),
            (404, problem, "c0de: d3tail (request r1)", nil),
            (404, #"{"code":"not_found","detail":"nothing is at this address"}"#, "not_found: ", "the setting `admin`"),
            (404, "<html>", "the broker answered 404", "the setting `admin`"),
            (409, #"{"code":"c","detail":"d"}"#, "c: d", nil),
            (500, "", "the broker answered 500", "--broker"),
            (302, "", "the broker answered 302", "--broker"),
            (503, #"{"code":"unavailable"}"#, "the broker answered 503", "--broker"),
        ] as [(Int, String, String, String?)])
    func `a problem is told in the broker's words, and what is none as such`(
        _ status: Int, _ body: String, _ line: String, _ hint: String?
    ) async throws {
        let refusal = await #expect(throws: Refusal.self) {
            try await ScriptedBroker([(status, body)]).api.call(.get, "auditEvents")
        }
        let lines = try #require(refusal).lines
        #expect(lines.first?.hasPrefix(line) == true, "\(lines)")
        #expect(lines.count == (hint == nil ? 1 : 2), "\(lines)")
        if let hint { #expect(lines.last?.hasPrefix("hint: ") == true && lines.last?.contains(hint) == true) }
    }

    /// Somebody who registers an app needs the address before there is a client id.
    @Test func `the address to register comes with the refusal`() async throws {
        let body = #"{"code":"not_found","detail":"d","redirectUri":"https://b.example/oauth/callback/x/y"}"#
        let refusal = await #expect(throws: Refusal.self) {
            try await ScriptedBroker([(404, body)]).api.call(.get, "tenants/t/clients/x")
        }
        #expect(refusal?.address == "https://b.example/oauth/callback/x/y")
        #expect(refusal?.lines.last?.contains("register https://b.example/oauth/callback/x/y") == true)
    }

    @Test(arguments: [TransportError.unreachable, .tlsFailed, .timedOut])
    func `a broker that does not answer is told by its address`(_ failure: TransportError) async throws {
        let refusal = await #expect(throws: Refusal.self) {
            try await ScriptedBroker([(200, "")], failure: failure).api.call(.get, "auditEvents")
        }
        #expect(refusal?.lines.first?.contains("https://b.example/base") == true)
    }
}
