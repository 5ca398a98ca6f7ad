import Formats
import Foundation
import Secrets
import TestSupport
import Testing
import Transport

@testable import BrokerClient

/// The grant of one test: its broker, its store, and its clock.
final class TestGrant: @unchecked Sendable {
    // `@unchecked`: the variables are guarded by `lock`.
    private let lock = NSLock()
    private var sent: [String] = []
    private var events: [String] = []
    private var results: [Result<GrantedTokens, BrokerError>] = []
    private var commitments: [Result<Commitment, Full>] = []
    let clock = TestClock()
    /// Every refresh passes it.
    let gate: Gate?

    struct Full: Error, Hashable {}

    init(gate: Gate? = nil) { self.gate = gate }

    /// The refresh tokens that were sent.
    var refreshes: [String] { lock.withLock { sent } }
    /// Refreshes and commits, in order.
    var trail: [String] { lock.withLock { events } }

    func note(_ event: String) { lock.withLock { events.append(event) } }

    func script(_ results: [Result<GrantedTokens, BrokerError>]) { lock.withLock { self.results += results } }

    func script(commits: [Result<Commitment, Full>]) { lock.withLock { commitments += commits } }

    /// Of an hour, unless it is said.
    func tokens(_ number: Int, seconds: Int64? = 3600, refreshable: Bool = true) -> GrantedTokens {
        GrantedTokens(
            accessToken: AccessToken("access-\(number)"),
            refreshToken: refreshable ? RefreshToken("refresh-\(number)") : nil,
            expiresAt: seconds.map { clock.now().adding(seconds: $0) })
    }

    func credentials(
        _ tokens: GrantedTokens, tryAgain: @escaping FreshCredentials<Full>.TryAgain = { _, _ in false }
    ) -> FreshCredentials<Full> {
        FreshCredentials(
            tokens, refresh: { token throws(BrokerError) in try await self.refresh(token) }, tryAgain: tryAgain,
            now: clock.now, commit: { tokens throws(Full) in try self.commit(tokens) })
    }

    private func refresh(_ token: RefreshToken) async throws(BrokerError) -> GrantedTokens {
        let (number, result) = lock.withLock {
            sent.append(token.expose { $0 })
            events.append("refresh")
            return (sent.count, results.isEmpty ? nil : results.removeFirst())
        }
        await gate?.pass()
        guard let result else { return tokens(number + 1) }
        return try result.get()
    }

    private func commit(_ tokens: GrantedTokens) throws(Full) -> Commitment {
        let result = lock.withLock {
            events.append("commit " + tokens.accessToken.expose { $0 })
            return commitments.isEmpty ? .success(.kept) : commitments.removeFirst()
        }
        return try result.get()
    }
}

extension FreshCredentials {
    var text: String {
        get async throws(Fault) { try await accessToken().expose { $0 } }
    }

    func text(inPlaceOf refused: String) async throws(Fault) -> String {
        try await accessToken(inPlaceOf: AccessToken(refused)).expose { $0 }
    }
}

typealias TestFault = FreshCredentialsFault<TestGrant.Full>

/// The name of a fault, for comparisons.
func name<Failure>(_ fault: FreshCredentialsFault<Failure>?) -> String {
    switch fault {
    case .reauthorizationRequired?: "reauthorizationRequired"
    case .superseded?: "superseded"
    case .broker(let error)?: "broker: \(error)"
    case .notCommitted?: "notCommitted"
    case .cancelled?: "cancelled"
    case nil: "none"
    }
}

@Suite struct FreshCredentialsTests {
    private let grant = TestGrant()

    private func fault(_ credentials: FreshCredentials<TestGrant.Full>) async -> String {
        name(await BrokerClientTests.fault { () throws(TestFault) in try await credentials.text })
    }

    @Test func `a token that lives longer than a minute is given as it is`() async throws {
        let credentials = grant.credentials(grant.tokens(1, seconds: 61))
        #expect(try await credentials.text == "access-1")
        #expect(grant.trail.isEmpty)
    }

    @Test(arguments: [60, 1, 0, -3600] as [Int64])
    func `a token that ends within a minute is refreshed`(_ seconds: Int64) async throws {
        let credentials = grant.credentials(grant.tokens(1, seconds: seconds))
        #expect(try await credentials.text == "access-2")
        #expect(grant.refreshes == ["refresh-1"])
    }

    @Test func `a token whose end nobody knows is given until it is refused`() async throws {
        let credentials = grant.credentials(grant.tokens(1, seconds: nil))
        grant.clock.advance(seconds: 1_000_000)
        #expect(try await credentials.text == "access-1")
        #expect(try await credentials.text(inPlaceOf: "access-1") == "access-2")
    }

    @Test func `the new tokens are committed before they are used, and then serve`() async throws {
        let credentials = grant.credentials(grant.tokens(1, seconds: 0))
        let token = try await credentials.text
        grant.note("use \(token)")
        #expect(grant.trail == ["refresh", "commit access-2", "use access-2"])
        #expect(try await credentials.text == "access-2")
    }

    @Test func `the next refresh sends the token of the last one`() async throws {
        let credentials = grant.credentials(grant.tokens(1, seconds: 0))
        _ = try await credentials.text
        grant.clock.advance(seconds: 3600)
        #expect(try await credentials.text == "access-3")
        #expect(grant.refreshes == ["refresh-1", "refresh-2"])
    }

    /// RFC 6749 § 6.
    @Test func `a refresh that returns no refresh token keeps the old one`() async throws {
        grant.script([.success(grant.tokens(2, seconds: 0, refreshable: false))])
        let credentials = grant.credentials(grant.tokens(1, seconds: 0))
        _ = try await credentials.text
        _ = try await credentials.text
        #expect(grant.refreshes == ["refresh-1", "refresh-1"])
    }

    @Test func `a new token that ends within a minute is given all the same`() async throws {
        grant.script([.success(grant.tokens(2, seconds: 5))])
        #expect(try await grant.credentials(grant.tokens(1, seconds: 0)).text == "access-2")
    }

    @Test func `without a refresh token nothing is refreshed`() async throws {
        let credentials = grant.credentials(grant.tokens(1, seconds: -1, refreshable: false))
        #expect(try await credentials.text == "access-1")
        let fault = await BrokerClientTests.fault { () throws(TestFault) in
            try await credentials.text(inPlaceOf: "access-1")
        }
        #expect(name(fault) == "reauthorizationRequired")
        #expect(grant.trail.isEmpty)
    }

    // MARK: refused tokens

    @Test func `a refused token is answered by one refresh`() async throws {
        let credentials = grant.credentials(grant.tokens(1))
        #expect(try await credentials.text(inPlaceOf: "access-1") == "access-2")
        #expect(try await credentials.text(inPlaceOf: "access-1") == "access-2")
        #expect(grant.refreshes == ["refresh-1"])
    }

    @Test func `a new token that is refused too ends the grant`() async throws {
        let credentials = grant.credentials(grant.tokens(1))
        _ = try await credentials.text(inPlaceOf: "access-1")
        let fault = await BrokerClientTests.fault { () throws(TestFault) in
            try await credentials.text(inPlaceOf: "access-2")
        }
        #expect(name(fault) == "reauthorizationRequired")
        #expect(await self.fault(credentials) == "reauthorizationRequired")
        #expect(grant.refreshes == ["refresh-1"])
    }

    @Test func `a token that served for a while and is refused is refreshed again`() async throws {
        let credentials = grant.credentials(grant.tokens(1))
        _ = try await credentials.text(inPlaceOf: "access-1")
        grant.clock.advance(seconds: 60)
        #expect(try await credentials.text(inPlaceOf: "access-2") == "access-3")
    }

    // MARK: faults

    @Test func `a grant that is at its end stays so, and the broker is not asked again`() async {
        grant.script([.failure(.reauthorizationRequired)])
        let credentials = grant.credentials(grant.tokens(1, seconds: 0))
        #expect(await fault(credentials) == "reauthorizationRequired")
        #expect(await fault(credentials) == "reauthorizationRequired")
        #expect(grant.trail == ["refresh"])
    }

    @Test func `a broker that fails is asked again by the next caller`() async throws {
        grant.script([.failure(.unreachable(.connectionRefused))])
        let credentials = grant.credentials(grant.tokens(1, seconds: 0))
        #expect(await fault(credentials).hasPrefix("broker: "))
        #expect(try await credentials.text == "access-3")
    }

    @Test func `an error that may pass is tried again as often as is wanted`() async throws {
        grant.script(Array(repeating: .failure(.timedOut), count: 2) + [.success(grant.tokens(9))])
        let attempts = Kept<Int>()
        let credentials = grant.credentials(grant.tokens(1, seconds: 0)) { error, attempt in
            attempts.keep(attempt)
            return error == .timedOut
        }
        #expect(try await credentials.text == "access-9")
        #expect(attempts.all == [1, 2])
        #expect(grant.refreshes == ["refresh-1", "refresh-1", "refresh-1"])
    }

    @Test func `an error that stays is not tried again`() async {
        grant.script([.failure(.wrongTenant)])
        let credentials = grant.credentials(grant.tokens(1, seconds: 0)) { _, _ in true }
        #expect(await fault(credentials) == "broker: \(BrokerError.wrongTenant)")
        #expect(grant.refreshes.count == 1)
    }

    @Test func `tokens that could not be kept are not used, and kept before anything else`() async throws {
        grant.script(commits: [.failure(.init()), .failure(.init())])
        let credentials = grant.credentials(grant.tokens(1, seconds: 0))
        #expect(await fault(credentials) == "notCommitted")
        #expect(await fault(credentials) == "notCommitted")
        #expect(try await credentials.text == "access-2")
        // The rotated token of before is not sent again.
        #expect(grant.trail == ["refresh", "commit access-2", "commit access-2", "commit access-2"])
    }

    @Test func `credentials whose place was taken give no token any more`() async {
        grant.script(commits: [.success(.superseded)])
        let credentials = grant.credentials(grant.tokens(1, seconds: 0))
        #expect(await fault(credentials) == "superseded")
        #expect(await fault(credentials) == "superseded")
        #expect(grant.trail == ["refresh", "commit access-2"])
    }

    @Test func `a broker's client is all that the usual case needs`() async throws {
        let broker = ScriptedBroker(200, Sample.credentials)
        let client = try Sample.client(
            broker, .signing(.makeP256(), keyID: nil, issuer: "i", audience: "a"), clock: grant.clock)
        let kept = Kept<String>()
        let credentials = FreshCredentials(
            grant.tokens(1, seconds: 0), of: "google_drive", for: Sample.tenant, at: client
        ) { tokens throws(TestGrant.Full) in
            kept.keep(tokens.refreshToken?.expose { $0 } ?? "")
            return .kept
        }
        #expect(try await credentials.text == "acc3ss")
        #expect(kept.all == ["r3fresh"])
        #expect(
            try broker.requests.first?.members == [
                "sourceType": .string("google_drive"), "refreshToken": .string("refresh-1"),
            ])
    }

    @Test func `credentials do not show`() {
        let credentials = grant.credentials(grant.tokens(1))
        expectHidden(credentials, ["access-1", "refresh-1"])
        expectHidden(grant.tokens(1), ["access-1", "refresh-1"])
    }
}

/// Keeps what is told.
final class Kept<Value: Sendable>: @unchecked Sendable {
    // `@unchecked`: `kept` is guarded by `lock`.
    private let lock = NSLock()
    private var kept: [Value] = []

    var all: [Value] { lock.withLock { kept } }

    func keep(_ value: Value) { lock.withLock { kept.append(value) } }
}
