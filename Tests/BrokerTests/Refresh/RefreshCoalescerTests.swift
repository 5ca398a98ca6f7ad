import Catalog
import Foundation
import Secrets
import TestSupport
import Testing

@testable import Broker

@Suite(.timeLimit(.minutes(5))) struct RefreshCoalescerTests {
    private let clock = SteadyClock()
    private let refreshes: RefreshCoalescer

    init() {
        let clock = clock
        refreshes = RefreshCoalescer(now: { clock.now })
    }

    private static func identity(
        _ token: String, tenant: String = "acme", sourceType: String = "wiki", parameters: [String: String] = [:],
        scopes: [String]? = nil
    ) throws -> RefreshCoalescer.Identity {
        RefreshCoalescer.Identity(
            tenant: try #require(TenantID(tenant)), sourceType: try #require(SourceType.ID(sourceType)),
            client: "client", parameters: parameters, scopes: scopes, token: RefreshToken(token))
    }

    /// Asks for a refresh that would get these tokens; true if the provider was asked.
    private func refresh(
        _ sent: String, gets access: String = "a", _ new: String = "r", tenant: String = "acme",
        sourceType: String = "wiki"
    ) async throws -> Bool {
        let asked = Flag()
        let json = try await refreshes.run(
            try Self.identity(sent, tenant: tenant, sourceType: sourceType), token: RefreshToken(sent)
        ) { () async throws(RefreshError) -> RefreshCoalescer.Answer in
            asked.set()
            return RefreshCoalescer.Answer(
                json: SecretBytes(Array(access.utf8)), tokens: [Digest(of: access), Digest(of: new)])
        }
        #expect(json.expose { $0 } == Array(access.utf8))
        return asked.isSet
    }

    @Test func `an answer serves for 30 s of a clock that nobody sets`() async throws {
        #expect(try await refresh("r0"))
        clock.advance(.milliseconds(29_999))
        #expect(try await !refresh("r0"))
        clock.advance(.milliseconds(1))
        #expect(try await refresh("r0"))
    }

    /// The one sent, the access token of the answer, and its refresh token.
    @Test(arguments: ["r0", "a1", "r1"])
    func `a revocation of any token of the grant ends its answer`(_ revoked: String) async throws {
        #expect(try await refresh("r0", gets: "a1", "r1"))
        #expect(try await refresh("s0", gets: "b1", "s1"))
        await refreshes.forget(Digest(of: revoked))
        #expect(try await !refresh("s0", gets: "b1", "s1"))
        #expect(try await refresh("r0", gets: "a1", "r1"))
    }

    @Test func `a revocation ends the answers to earlier refreshes of the grant too`() async throws {
        #expect(try await refresh("r0", gets: "a1", "r1"))
        #expect(try await refresh("r1", gets: "a2", "r2"))
        await refreshes.forget(Digest(of: "a2"))
        #expect(try await refresh("r0", gets: "a3", "r3"))
    }

    @Test(arguments: [true, false])
    func `a call that runs while its token is revoked is nobody's but theirs who wait`(_ byOperator: Bool) async throws
    {
        let (started, released) = (Flag(), Flag())
        let refreshes = refreshes
        let identity = try Self.identity("r0")
        let first = Task {
            try await refreshes.run(identity, token: RefreshToken("r0")) {
                () async throws(RefreshError) -> RefreshCoalescer.Answer in
                started.set()
                while !released.isSet { await Task.yield() }
                return RefreshCoalescer.Answer(json: SecretBytes([1]), tokens: [Digest(of: "a1")])
            }.count
        }
        while !started.isSet { await Task.yield() }
        if byOperator {
            await refreshes.forget(Selection(tenant: TenantID("acme")))
        } else {
            await refreshes.forget(Digest(of: "r0"))
        }
        // Who comes after it asks for himself, and the first call's answer is not kept in place of the second's.
        #expect(try await refresh("r0", gets: "second"))
        released.set()
        #expect(try await first.value == 1)
        #expect(try await !refresh("r0", gets: "second"))
    }

    @Test func `an operator's revocation ends the answers of its selection`() async throws {
        let all = [("acme", "wiki"), ("acme", "drive"), ("other", "wiki")]
        func asked() async throws -> [Bool] {
            var asked: [Bool] = []
            for (tenant, sourceType) in all {
                asked.append(try await refresh("r", tenant: tenant, sourceType: sourceType))
            }
            return asked
        }
        #expect(try await asked() == [true, true, true])
        await refreshes.forget(Selection(tenant: TenantID("acme"), sourceType: SourceType.ID("wiki")))
        #expect(try await asked() == [true, false, false])
        await refreshes.forget(Selection(sourceType: SourceType.ID("wiki")))
        #expect(try await asked() == [true, false, true])
        await refreshes.forget(Selection())
        #expect(try await asked() == [true, true, true])
        await refreshes.forget(Selection(flow: FlowID(of: .random())))
        #expect(try await asked() == [false, false, false])
    }

    @Test func `what was forgotten and answered anew lasts its own 30 s`() async throws {
        #expect(try await refresh("r0"))
        clock.advance(.seconds(20))
        await refreshes.forget(Digest(of: "r0"))
        #expect(try await refresh("r0"))
        clock.advance(.seconds(20))
        #expect(try await !refresh("r0"))
        clock.advance(.seconds(10))
        #expect(try await refresh("r0"))
    }

    @Test func `no two requests are one that differ in anything`() throws {
        let identities = [
            try Self.identity("r"), try Self.identity("r2"), try Self.identity("r", tenant: "other"),
            try Self.identity("r", sourceType: "drive"), try Self.identity("r", scopes: []),
            try Self.identity("r", scopes: ["scopes"]), try Self.identity("r", scopes: ["given", "scopes"]),
            try Self.identity("r", parameters: ["scopes": "given"]), try Self.identity("r", parameters: ["a": "b"]),
            try Self.identity("r", parameters: ["scopes": "given"], scopes: []),
        ]
        #expect(Set(identities).count == identities.count)
        #expect(try Self.identity("r", scopes: ["a", "b"]) == Self.identity("r", scopes: ["b", "a"]))
    }
}

/// `@unchecked Sendable`: the lock guards the one variable.
private final class Flag: @unchecked Sendable {
    private let lock = NSLock()
    private var value = false

    var isSet: Bool { lock.withLock { value } }

    func set() { lock.withLock { value = true } }
}
