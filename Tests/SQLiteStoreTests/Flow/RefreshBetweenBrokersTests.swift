import Broker
import Catalog
import Foundation
import Secrets
import TestSupport
import Testing
import Transport

/// Refreshes by two brokers on one file, each with a provider of its own that a test can ask what it was asked.
@Suite(.timeLimit(.minutes(5))) struct RefreshBetweenBrokersTests {
    private let one: Installation
    private let two: Installation
    private let gate = Gate()

    init() throws {
        one = try Installation()
        two = try one.beside()
    }

    private static let rotated = #"{"access_token":"access-hunter2","refresh_token":"r1","expires_in":3600}"#

    /// Answers the first refresh, once the gate is open, and takes any other for theft.
    private func rotate() async {
        let gate = gate
        let asked = Flag()
        for installation in [one, two] {
            await installation.provider.answers { request throws(TransportError) in
                if request.url.hasSuffix("/revoke") { return ProviderResponse(status: 200) }
                if asked.setOnce() {
                    await gate.pass()
                    return ProviderResponse(status: 200, body: Array(Self.rotated.utf8))
                }
                return ProviderResponse(status: 400, body: Array(#"{"error":"invalid_grant"}"#.utf8))
            }
        }
    }

    private func asked() async -> Int { await one.provider.requests.count + two.provider.requests.count }

    @Test(arguments: 0..<3)
    func `8 calls at two brokers with one rotating token are one call and 8 equal answers`(_ round: Int) async throws {
        await rotate()
        gate.open()
        let answers = try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<8 { group.addTask { try await (number % 2 == 0 ? one : two).refresh("r0") } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.count == 8 && Set(answers).count == 1)
        #expect(await asked() == 1)
        #expect(one.events.kinds + two.events.kinds == Array(repeating: "credentials.refreshed", count: 8))
        // After a restart too.
        let again = try one.beside()
        #expect(try await again.refresh("r0") == answers[0])
        #expect(await again.provider.requests.isEmpty)
        #expect(again.events.kinds == ["credentials.refreshed"])
    }

    @Test func `an answer ends after 30 s at every broker however the clock is set`() async throws {
        await one.provider.answers(Self.rotated)
        let answer = try await one.refresh("r0")
        one.clock.advance(seconds: -3600)
        one.steady.advance(.milliseconds(29_999))
        #expect(try await two.refresh("r0") == answer)
        #expect(await asked() == 1)
        one.steady.advance(.milliseconds(1))
        _ = try await two.refresh("r0")
        #expect(await asked() == 2)
    }

    static let failures: [(TransportError?, String)] = [
        (nil, #"{"error":"invalid_grant"}"#), (nil, #"{"error":"temporarily_unavailable"}"#), (nil, "<html>"),
        (.timedOut, ""), (.tlsFailed, ""),
    ]

    @Test(arguments: failures)
    func `who waits at another broker shares a failure and who comes later does not`(
        _ error: TransportError?, _ body: String
    ) async throws {
        let gate = gate
        await one.provider.answers { _ throws(TransportError) in
            await gate.pass()
            if let error { throw error }
            return ProviderResponse(status: 400, headers: [("retry-after", "17")], body: Array(body.utf8))
        }
        let waits = Flag()
        let other = try one.beside(pause: { _ in
            waits.set()
            try await Task.sleep(for: .milliseconds(1))
        })
        async let first = one.failure("r0")
        await gate.arrival()
        async let second = other.failure("r0")
        while !waits.isSet { await Task.yield() }
        gate.open()
        let (told, shared) = (await first, await second)
        #expect(told != nil && told == shared)
        #expect(await other.provider.requests.isEmpty)
        _ = try await other.refresh("r0")
        #expect(await other.provider.requests.count == 1)
    }

    /// It stops, or has too much to do: nothing that the others should suffer from.
    @Test(arguments: [TransportError.cancelled, .overloaded, .rateLimited])
    func `what keeps one broker from asking leaves the call to another`(_ error: TransportError) async throws {
        let gate = gate
        await one.provider.answers { _ throws(TransportError) in
            await gate.pass()
            throw error
        }
        async let first = one.failure("r0")
        await gate.arrival()
        async let second = two.refresh("r0")
        gate.open()
        #expect(await first != nil)
        #expect(try await second.contains("access-hunter2"))
        #expect(await two.provider.requests.count == 1)
    }

    @Test func `where the broker that asks has died another takes over by time`() async throws {
        let gate = gate
        // Its pauses have no end: it renews nothing, as if it were gone.
        let dead = try one.beside(pause: { _ in try await Task.sleep(for: .seconds(3600)) })
        await dead.provider.answers { _ throws(TransportError) in
            await gate.pass()
            return ProviderResponse(status: 200, body: Array(Self.rotated.utf8))
        }
        let waits = Flag()
        let other = try one.beside(pause: { _ in
            waits.set()
            try await Task.sleep(for: .milliseconds(1))
        })
        async let lost = dead.refresh("r0")
        await gate.arrival()
        async let answer = other.refresh("r0")
        while !waits.isSet { await Task.yield() }
        #expect(await other.provider.requests.isEmpty)
        one.steady.advance(.milliseconds(10_000))
        #expect(try await answer.contains("refresh-hunter2"))
        // What the other brings after all is for its own caller, and for nobody else.
        gate.open()
        #expect(try await lost.contains("r1"))
        #expect(try await two.refresh("r0").contains("refresh-hunter2"))
        #expect(await two.provider.requests.isEmpty)
    }

    @Test func `a broker that asks for long keeps its lease`() async throws {
        let (gate, pauses) = (gate, Counter())
        let slow = try one.beside(pause: { _ in
            pauses.increment()
            try await Task.sleep(for: .milliseconds(1))
        })
        await slow.provider.answers { _ throws(TransportError) in
            await gate.pass()
            return ProviderResponse(status: 200, body: Array(Self.rotated.utf8))
        }
        async let first = slow.refresh("r0")
        await gate.arrival()
        async let second = two.refresh("r0")
        for _ in 0..<20 {
            one.steady.advance(.seconds(9))
            // Between the ends of two pauses it renews.
            let enough = pauses.count + 2
            while pauses.count < enough { await Task.yield() }
        }
        gate.open()
        #expect(try await first == second)
        #expect(await two.provider.requests.isEmpty)
    }

    /// The refresh token that was sent, the new one, and the access token.
    @Test(arguments: ["r0", "r1", "access-hunter2"])
    func `a revocation at one broker ends the answer at the other`(_ revoked: String) async throws {
        await rotate()
        gate.open()
        _ = try await one.refresh("r0")
        try await two.revoke(revoked)
        #expect(await one.failure("r0") != nil)
        #expect(await one.provider.requests.count == 2)
    }

    @Test func `an operator's revocation at one broker ends the answer at the other`() async throws {
        await rotate()
        gate.open()
        _ = try await one.refresh("r0")
        _ = try await two.broker.revoke(
            AdminRevocation(selection: Selection(tenant: try Samples.tenant()), reason: "test", atProvider: false))
        #expect(await one.failure("r0") != nil)
    }

    /// Callers who waited at the broker that asks get its answer; those after the revocation do not, at either.
    @Test func `a call that runs while its token is revoked is nobody's but theirs who wait`() async throws {
        await rotate()
        async let first = one.refresh("r0")
        await gate.arrival()
        try await two.revoke("r0")
        #expect(await one.failure("r0") != nil)
        #expect(await two.failure("r0") != nil)
        gate.open()
        #expect(try await first.contains("access-hunter2"))
        #expect(await one.failure("r0") != nil)
    }

    @Test func `an answer that no master key opens is asked for again`() async throws {
        _ = try await one.refresh("r0")
        let other = try one.restarted(masterKeys: Installation.secondKey)
        _ = try await other.refresh("r0")
        #expect(await other.provider.requests.count == 1)
        _ = try await other.refresh("r0")
        #expect(await other.provider.requests.count == 1)
    }

    @Test func `nothing is asked while the store cannot say who asks`() async throws {
        // The tenant's clients are known from then on.
        _ = try await one.refresh("r1")
        await one.store.close()
        #expect(await one.failure("r0") == .store(.closed))
        #expect(await one.provider.requests.count == 1)
    }

    @Test func `no token of a refresh is in the bytes of the files`() async throws {
        await one.provider.answers(Self.rotated.replacing("r1", with: "refresh-hunter2"))
        _ = try await one.refresh("sent-hunter2")
        await one.store.close()
        for (name, data) in try one.folder.contents() {
            #expect(data.range(of: Data("hunter2".utf8)) == nil, "in \(name)")
        }
        let answer = try await two.store.refreshState(of: Self.identity("sent-hunter2"), at: one.moment).standing
        guard case .answered(let kept) = answer else {
            Issue.record("nothing is kept")
            return
        }
        // Whoever has the master key lacks the token that was sent.
        let ring = try KeyRing(Installation.firstKey)
        let context = try Self.identity("sent-hunter2").digest.bytes
        for (secret, opens) in [("sent-hunter2", true), ("", false), ("refresh-hunter2", false)] {
            let bytes = SecretBytes(Array(secret.utf8))
            let text = try? ring.open(kept.answer, as: Label("refresh-answer"), context: context, under: bytes)
            #expect((text != nil) == opens)
        }
    }

    private static func identity(_ token: String) throws -> RefreshIdentity {
        RefreshIdentity(
            tenant: try Samples.tenant(), sourceType: try #require(SourceType.ID("example")), client: "client",
            parameters: [:], scopes: nil, token: RefreshToken(token))
    }
}

extension Installation {
    /// The answer's JSON.
    fileprivate func refresh(_ token: String) async throws -> String {
        let request = RefreshRequest(
            tenant: try Samples.tenant(), sourceType: "example", refreshToken: RefreshToken(token))
        return try await broker.refresh(request).expose { String(decoding: $0, as: UTF8.self) }
    }

    fileprivate func failure(_ token: String) async -> RefreshError? {
        do {
            _ = try await refresh(token)
            return nil
        } catch {
            return error as? RefreshError
        }
    }

    fileprivate func revoke(_ token: String) async throws {
        try await broker.revoke(
            TokenRevocationRequest(
                tenant: try Samples.tenant(), sourceType: "example", token: AccessOrRefreshToken(token)))
    }

    fileprivate var moment: Moment {
        let (seconds, _) = steady.start.duration(to: steady.now).components
        return Moment(time: clock.now, machine: Digest(of: "machine"), uptime: seconds * 1000)
    }
}

/// `@unchecked Sendable`: the lock guards the one variable.
private final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var value = 0

    var count: Int { lock.withLock { value } }

    func increment() { lock.withLock { value += 1 } }
}

/// `@unchecked Sendable`: the lock guards the one variable.
private final class Flag: @unchecked Sendable {
    private let lock = NSLock()
    private var value = false

    var isSet: Bool { lock.withLock { value } }

    func set() { lock.withLock { value = true } }

    /// `true` the first time.
    func setOnce() -> Bool {
        lock.withLock {
            defer { value = true }
            return !value
        }
    }
}
