import Formats
import Secrets
import TestSupport
import Testing

@testable import BrokerClient

@Suite struct FreshCredentialsConcurrencyTests {
    private let gate = Gate()
    private let grant: TestGrant

    init() { grant = TestGrant(gate: gate) }

    private func ask(
        _ credentials: FreshCredentials<TestGrant.Full>, refused: String? = nil
    ) -> Task<String, Never> {
        Task {
            do throws(TestFault) {
                guard let refused else { return try await credentials.text }
                return try await credentials.text(inPlaceOf: refused)
            } catch {
                return name(error)
            }
        }
    }

    @Test func `of a hundred that ask at once, one refreshes and all get its token`() async {
        let credentials = grant.credentials(grant.tokens(1, seconds: 0))
        let askers = (0..<100).map { _ in ask(credentials) }
        await credentials.waiters(100)
        gate.open()
        for asker in askers { #expect(await asker.value == "access-2") }
        #expect(grant.trail == ["refresh", "commit access-2"])
    }

    @Test func `of a hundred whose token was refused, one refreshes`() async {
        let credentials = grant.credentials(grant.tokens(1))
        let askers = (0..<100).map { _ in ask(credentials, refused: "access-1") }
        await credentials.waiters(100)
        gate.open()
        for asker in askers { #expect(await asker.value == "access-2") }
        #expect(grant.refreshes == ["refresh-1"])
    }

    @Test func `all that wait get the same fault`() async {
        grant.script([.failure(.unauthorized)])
        let credentials = grant.credentials(grant.tokens(1, seconds: 0))
        let first = ask(credentials)
        await gate.arrival()
        await credentials.waiters(1)
        let others = (0..<9).map { _ in ask(credentials) }
        await credentials.waiters(10)
        gate.open()
        for asker in [first] + others { #expect(await asker.value == "broker: \(BrokerError.unauthorized)") }
        #expect(grant.refreshes.count == 1)
    }

    @Test func `one who gives up does not end the refresh for the others`() async {
        let credentials = grant.credentials(grant.tokens(1, seconds: 0))
        let (one, other) = (ask(credentials), ask(credentials))
        await gate.arrival()
        await credentials.waiters(2)
        one.cancel()
        #expect(await one.value == "cancelled")
        gate.open()
        #expect(await other.value == "access-2")
    }

    @Test func `the tokens of a refresh that nobody waits for are kept`() async throws {
        let credentials = grant.credentials(grant.tokens(1, seconds: 0))
        let asker = ask(credentials)
        await gate.arrival()
        asker.cancel()
        #expect(await asker.value == "cancelled")
        let next = ask(credentials)
        await credentials.waiters(1)
        gate.open()
        #expect(await next.value == "access-2")
        #expect(grant.trail == ["refresh", "commit access-2"])
    }

    @Test func `a task that was cancelled before it asks begins nothing`() async {
        let credentials = grant.credentials(grant.tokens(1, seconds: 0))
        let started = Gate()
        let asker = Task {
            await started.pass()
            return name(
                await fault { () throws(TestFault) in try await credentials.text })
        }
        await started.arrival()
        asker.cancel()
        started.open()
        #expect(await asker.value == "cancelled")
        #expect(grant.trail.isEmpty)
    }

    @Test func `a failed refresh that nobody waits for is not tried again`() async {
        grant.script([.failure(.timedOut)])
        let waiting = Gate()
        let credentials = grant.credentials(grant.tokens(1, seconds: 0)) { _, _ in
            await waiting.pass()
            return true
        }
        let asker = ask(credentials)
        await gate.arrival()
        gate.open()
        await waiting.arrival()
        asker.cancel()
        #expect(await asker.value == "cancelled")
        waiting.open()
        while credentials.isRefreshing { await Task.yield() }
        #expect(grant.refreshes.count == 1)
    }
}

extension FreshCredentials {
    /// Returns once so many wait for the refresh that runs.
    func waiters(_ count: Int) async {
        while waiterCount < count { await Task.yield() }
    }
}
