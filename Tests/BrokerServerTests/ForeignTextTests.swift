import Broker
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@testable import BrokerServer

/// Whatever strangers write costs time linear in its bytes.
@Suite struct ForeignTextTests {
    /// Marks of two classes, which Swift sorts in quadratic time where it compares them: 64 KiB took seconds.
    private static let marks = String(repeating: "\u{301}\u{316}", count: 16_000)
    /// What a debug build needs a tenth of, and what was there before ten times of.
    private static let most = Duration.milliseconds(250)

    private static let names = [
        "Accept", "Accept-Language", "Authorization", "Content-Type", "Cookie", "Forwarded", "Host", "If-None-Match",
        "Origin", "Purpose", "Sec-Fetch-Site", "Sec-Purpose", "traceparent", "tracestate", "X-Forwarded-For",
        "X-Request-Id",
    ]

    /// The least of three, since other tests run beside this one.
    private func least(_ work: () async throws -> Void) async throws -> Duration {
        var least = Duration.seconds(60)
        for _ in 0..<3 where least > Self.most {
            let began = ContinuousClock.now
            try await work()
            least = min(least, ContinuousClock.now - began)
        }
        return least
    }

    @Test(arguments: names)
    func `a header of marks costs nobody anything and counts as absent`(_ name: String) async throws {
        let fixture = try await Fixture(
            proxies: TrustedProxies(["127.0.0.0/8", "::/0"].compactMap { AddressBlock($0) }))
        let field = try #require(HTTPField.Name(name))
        try await fixture.run { client in
            for start in ["a", "a,", "Bearer ", "a=", "for=", "\"", ""] {
                let headers: HTTPFields = [field: start + Self.marks]
                let spent = try await least {
                    let answer = try await client.get("/oauth/callback?state=x", headers)
                    #expect(answer.status == .badRequest)
                }
                #expect(spent < Self.most, "\(name): \(start)")
            }
        }
    }

    @Test(arguments: [
        "/a", "/v1/tenants/", "/v1/tenants/a/assets:", "/oauth/callback?state=", "/oauth/callback?", "/healthz?a=",
    ])
    func `a target of marks costs nobody anything`(_ start: String) async throws {
        let fixture = try await Fixture()
        try await fixture.run { client in
            let spent = try await least { _ = try await client.get(start + Self.marks) }
            #expect(spent < Self.most)
        }
    }

    @Test func `a body of marks costs nobody anything`() async throws {
        let fixture = try await Fixture()
        let token = try await fixture.token()
        try await fixture.run { client in
            for body in ["{\"\(Self.marks)\":0}", "{\"sourceType\":\"\(Self.marks)\"}", Self.marks] {
                let headers: HTTPFields = [.authorization: "Bearer \(token)", .contentType: "application/json"]
                let spent = try await least {
                    let answer = try await client.execute(
                        uri: "/v1/tenants/acme/assets:authorize", method: .post, headers: headers,
                        body: ByteBuffer(string: body))
                    #expect(answer.status == .badRequest)
                }
                #expect(spent < Self.most)
            }
            let spent = try await least {
                let answer = try await client.execute(
                    uri: "/oauth/callback", method: .post, headers: [.contentType: "application/x-www-form-urlencoded"],
                    body: ByteBuffer(string: "state=\(Self.marks)&\(Self.marks)=1"))
                #expect(answer.status == .badRequest)
            }
            #expect(spent < Self.most)
        }
    }

    /// RFC 9110 § 5.5, and the contract: absent, not misread.
    @Test func `what is not ASCII counts as absent`() async throws {
        let fixture = try await Fixture()
        let token = try await fixture.token()
        try await fixture.run { client in
            let path = "/v1/tenants/acme/assets:sourceTypes"
            let unsaid = try await client.get(path, [.authorization: "Bearer \(token)\u{E9}"])
            #expect(unsaid.status == .unauthorized)
            #expect(unsaid.headers[.wwwAuthenticate] == "Bearer realm=\"cloakroom\"")
            let id = try #require(HTTPField.Name("X-Request-Id"))
            #expect(try await client.get("/healthz", [id: "a\u{E9}"]).headers[id]?.utf8.count == 16)
            #expect(try await client.get("/healthz", [id: "ab"]).headers[id] == "ab")
            let page = try await client.get("/oauth/callback?state=x", [.acceptLanguage: "de,\u{E9}"])
            #expect(page.headers[.contentLanguage] == "en")
            #expect(
                try await client.get("/oauth/callback?state=x", [.acceptLanguage: "de"]).headers[.contentLanguage]
                    == "de")
            // A K to whoever compares characters.
            #expect(try await client.get("/v1/tenants/\u{212A}iosk/assets:sourceTypes").status == .badRequest)
        }
    }
}
