import Broker
import BrokerServer
import Formats
import HTTPTypes
import HummingbirdTesting
import JOSE
import Secrets
import TestSupport
import Testing

/// The time for which an issuer's keys are believed.
@Suite(.timeLimit(.minutes(5))) struct IssuerKeysTests {
    private let issuer = Issuer()
    private let old = TokenSigner("old")
    private let new = TokenSigner("new")
    private let fixture: Fixture

    init() async throws {
        fixture = try await Fixture(callerKeys: .address(Issuer.address, issuer))
        issuer.publish(old)
    }

    private func status(_ token: String) async throws -> Int {
        try await fixture.run { try await $0.get("/v1/tenants/acme/assets:sourceTypes", token: token).status.code }
    }

    private func wait(seconds: Int) { fixture.steadyClock.advance(.seconds(seconds)) }

    // MARK: while the issuer answers

    @Test func `the first token after an idle time is not believed on keys that are old`() async throws {
        #expect(try await status(old.token()) == 200)
        issuer.publish(new)
        wait(seconds: 300)
        #expect(try await status(old.token()) == 401)
        #expect(try await status(new.token()) == 200)
        #expect(issuer.count == 2)
    }

    @Test func `where calls come all the time a withdrawn key is gone within minutes`() async throws {
        for _ in 0..<12 {
            #expect(try await status(old.token()) == 200)
            wait(seconds: 10)
        }
        issuer.publish(new)
        #expect(try await eventually { try await status(old.token()) == 401 })
    }

    @Test func `keys are renewed ahead, and nobody waits for it`() async throws {
        #expect(try await status(old.token()) == 200)
        issuer.hold()
        wait(seconds: 121)
        for _ in 0..<5 { #expect(try await status(old.token()) == 200) }
        #expect(await eventually { issuer.count == 2 })
        issuer.publish(old, new)
        issuer.release()
        #expect(try await eventually { try await status(new.token()) == 200 })
        #expect(issuer.count == 2)
    }

    @Test func `what was verified under a key that is gone is verified again`() async throws {
        #expect(try await status(old.token()) == 200)
        wait(seconds: 61)
        let token = old.token()
        #expect(try await status(token) == 200)
        issuer.publish(new)
        // An unknown key has the set fetched: a moment after the other token was found good.
        #expect(try await status(new.token()) == 200)
        #expect(try await status(token) == 401)
    }

    @Test func `an unknown key is searched at most once a minute`() async throws {
        #expect(try await status(old.token()) == 200)
        for _ in 0..<20 { #expect(try await status(TokenSigner("invented").token()) == 401) }
        wait(seconds: 59)
        #expect(try await status(new.token()) == 401)
        #expect(issuer.count == 1)
        issuer.publish(old, new)
        wait(seconds: 1)
        #expect(try await status(new.token()) == 200)
        for _ in 0..<20 { #expect(try await status(TokenSigner("invented").token()) == 401) }
        #expect(issuer.count == 2)
    }

    @Test func `a set without keys withdraws them all`() async throws {
        #expect(try await status(old.token()) == 200)
        issuer.say(#"{"keys":[]}"#)
        wait(seconds: 300)
        #expect(try await status(old.token()) == 401)
    }

    @Test func `a time of day that is set back prolongs nothing`() async throws {
        #expect(try await status(old.token()) == 200)
        issuer.publish(new)
        fixture.clock.advance(seconds: -86_400)
        wait(seconds: 300)
        #expect(try await status(old.token()) == 401)
    }

    @Test func `however many come at once, one request is made`() async throws {
        issuer.hold()
        let (fixture, token) = (fixture, old.token())
        let statuses = try await fixture.run { client in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<30 {
                    group.addTask {
                        try await client.get("/v1/tenants/acme/assets:sourceTypes", token: token).status.code
                    }
                }
                await issuer.arrival()
                issuer.release()
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(statuses == [Int](repeating: 200, count: 30))
        #expect(issuer.count == 1)
    }

    // MARK: while it does not

    @Test func `an outage of the issuer is none of the broker for an hour, then it says so`() async throws {
        #expect(try await status(old.token()) == 200)
        issuer.fall()
        for _ in 0..<11 {
            wait(seconds: 300)
            #expect(try await status(old.token()) == 200)
        }
        wait(seconds: 299)
        #expect(try await status(old.token()) == 200)
        wait(seconds: 1)
        let answer = try await fixture.run {
            try await $0.get("/v1/tenants/acme/assets:sourceTypes", token: old.token())
        }
        #expect(answer.status == .serviceUnavailable && answer.code == "unavailable")
        #expect(answer.headers[.retryAfter] != nil)
    }

    @Test func `an issuer that is back is heard within seconds`() async throws {
        #expect(try await status(old.token()) == 200)
        issuer.fall()
        wait(seconds: 400)
        #expect(try await status(old.token()) == 200)
        issuer.publish(new)
        wait(seconds: 3)
        #expect(try await eventually { try await status(old.token()) == 401 })
        #expect(try await status(new.token()) == 200)
    }

    @Test func `after an outage and an idle time the issuer is asked before it is thought away`() async throws {
        #expect(try await status(old.token()) == 200)
        issuer.fall()
        wait(seconds: 400)
        #expect(try await status(old.token()) == 200)
        issuer.publish(new)
        wait(seconds: 600)
        #expect(try await status(old.token()) == 401)
    }

    @Test func `a search that fails is tried again within seconds, not hammered`() async throws {
        #expect(try await status(old.token()) == 200)
        wait(seconds: 60)
        issuer.fall()
        for _ in 0..<20 { #expect(try await status(new.token()) == 401) }
        #expect(issuer.count == 2)
        issuer.publish(old, new)
        wait(seconds: 3)
        #expect(try await status(new.token()) == 200)
    }

    @Test(arguments: ["", "<html>", "[]", #"{"keys":1}"#, #"{"keys":[],"keys":[]}"#, "huge"])
    func `an answer that is no key set withdraws nothing`(_ body: String) async throws {
        #expect(try await status(old.token()) == 200)
        let huge = "{\"keys\":[" + [String](repeating: new.jwk, count: 5000).joined(separator: ",") + "]}"
        issuer.say(body == "huge" ? huge : body)
        wait(seconds: 300)
        #expect(try await status(old.token()) == 200)
        issuer.say(#"{"keys":[]}"#, status: 500)
        wait(seconds: 300)
        #expect(try await status(old.token()) == 200)
        wait(seconds: 3000)
        #expect(try await status(old.token()) == 503)
    }

    @Test func `without any keys nobody is served, and the issuer is tried again soon`() async throws {
        issuer.fall()
        for _ in 0..<10 { #expect(try await status(old.token()) == 503) }
        #expect(issuer.count == 1)
        issuer.publish(old)
        wait(seconds: 3)
        #expect(try await status(old.token()) == 200)
    }

    // MARK: what operators are told

    private var told: [String] { fixture.incidents.all.map { "\($0.kind): \($0.reason)" } }

    /// No caller gets an error before the hour is over, and then it is too late.
    @Test func `that old keys serve is told with the reason, once a minute`() async throws {
        #expect(try await status(old.token()) == 200)
        let stale = ["answered 503", "the answer is no key set (RFC 7517)"].map {
            "staleCallersKeys: auth.jwksURL: \($0)"
        }
        issuer.say("", status: 503)
        wait(seconds: 300)
        #expect(try await status(old.token()) == 200)
        // So long after the failure that the call waits for the next attempt.
        wait(seconds: 30)
        #expect(try await status(old.token()) == 200)
        #expect(issuer.count == 3 && told == [stale[0]])
        issuer.say("{}")
        wait(seconds: 30)
        #expect(try await status(old.token()) == 200)
        #expect(told == stale)
        issuer.publish(old)
        wait(seconds: 300)
        #expect(try await status(old.token()) == 200)
        #expect(told == stale)
    }

    @Test func `that there are no keys is told once a minute, and no line is written for each call`() async throws {
        issuer.fall()
        for _ in 0..<10 {
            #expect(try await status(old.token()) == 503)
            wait(seconds: 5)
        }
        let reason = "the connection broke before an answer came"
        #expect(told == ["callersKeysMissing: auth.jwksURL: \(reason)"])
        wait(seconds: 10)
        #expect(try await status(old.token()) == 503)
        #expect(told.count == 2)
        #expect(!fixture.lines.all.contains("request failed"))
        #expect(fixture.lines.all.contains("unavailable"))
    }

    @Test func `what is no token has nobody asked`() async throws {
        issuer.fall()
        for token in ["a.b.c", "", "..", old.token(header: #"{"alg":"none"}"#)] {
            #expect(try await status(token) == 401)
        }
        #expect(issuer.count == 0)
    }
}
