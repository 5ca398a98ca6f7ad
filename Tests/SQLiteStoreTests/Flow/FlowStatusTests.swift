import Broker
import Secrets
import TestSupport
import Testing
import Transport

/// The status of a flow, for those who may ask; everyone else is told that it is pending.
@Suite struct FlowStatusTests {
    private static let verifier = "an-exchange-verifier-that-is-long-enough-for-it"
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    @Test func `who began the flow in this browser is told the key`() async throws {
        let (begun, key) = try await installation.connect(verifier: Self.verifier, bound: true)
        let progress = try await progress(begun.flow)
        #expect(progress.key?.matches(key) == true)
        #expect(try await installation.redeem(key, verifier: Self.verifier) != nil)
    }

    @Test func `asking spends nothing and may be repeated`() async throws {
        let (begun, _) = try await installation.connect(verifier: Self.verifier, bound: true)
        for _ in 0..<3 { #expect(try await progress(begun.flow).name == "succeeded") }
    }

    @Test func `a flow is pending until its callback`() async throws {
        let begun = try await installation.begin(verifier: Self.verifier)
        _ = try await installation.cookie(of: begun, verifier: Self.verifier)
        #expect(try await progress(begun.flow).name == "pending")
    }

    @Test func `a flow is pending while the provider is asked`() async throws {
        let (asked, answer) = (Gate(), Gate())
        await installation.provider.answers { _ throws(TransportError) in
            asked.open()
            await answer.pass()
            return ProviderResponse(status: 200, body: Array(ScriptedProvider.tokens.utf8))
        }
        let (installation, begun) = (installation, try await installation.begin(verifier: Self.verifier))
        let cookie = try await installation.cookie(of: begun, verifier: Self.verifier)
        let callback = Task { await installation.callback("code=good&state=\(begun.state)", cookie: cookie) }
        await asked.pass()
        #expect(try await progress(begun.flow).name == "pending")
        answer.open()
        _ = await callback.value
        #expect(try await progress(begun.flow).name == "succeeded")
    }

    @Test func `a failure is told with its reason`() async throws {
        let begun = try await installation.begin(verifier: Self.verifier)
        let cookie = try await installation.cookie(of: begun, verifier: Self.verifier)
        _ = await installation.callback("error=access_denied&error_description=no&state=\(begun.state)", cookie: cookie)
        guard case .failed("access_denied", "no") = try await progress(begun.flow) else {
            Issue.record("not told as failed")
            return
        }
    }

    @Test func `a redeemed flow is told as succeeded, without its key`() async throws {
        let (begun, key) = try await installation.connect(verifier: Self.verifier, bound: true)
        _ = try await installation.redeem(key, verifier: Self.verifier)
        #expect(try await progress(begun.flow).name == "redeemed")
    }

    // MARK: a callback that somebody else brought first

    @Test func `who began the flow and comes second is told that it is lost`() async throws {
        let (begun, cookie) = try await begin()
        let key = try #require(await installation.callback("code=good&state=\(begun.state)").key)
        #expect(try await progress(begun.flow).name == "pending")
        let second = await installation.callback("code=good&state=\(begun.state)", cookie: cookie)
        #expect(second.error == .invalidState)
        #expect(second.flow?.id == begun.flow)
        guard case .failed("invalid_state", nil) = try await progress(begun.flow) else {
            Issue.record("not told as failed")
            return
        }
        #expect(await installation.provider.requests.count == 1)
        #expect(try await installation.redeem(key, verifier: Self.verifier) != nil)
    }

    @Test func `who began a flow that was revoked is told so when they come back`() async throws {
        let (begun, cookie) = try await begin()
        _ = try await installation.store.revokeFlows(
            Selection(tenant: Samples.tenant()), at: installation.clock.now,
            recording: Event(.revocation, at: installation.clock.now)
        )
        let late = await installation.callback("code=good&state=\(begun.state)", cookie: cookie)
        #expect(late.error == .invalidState)
        #expect(late.flow?.id == begun.flow)
        #expect(try await progress(begun.flow).name == "invalid_state")
    }

    /// The first one may still come to a good end, and its page learns that by asking.
    @Test func `a browser that brings its callback twice loses nothing by it`() async throws {
        let (begun, cookie) = try await begin()
        let key = try #require(await installation.callback("code=good&state=\(begun.state)", cookie: cookie).key)
        let second = await installation.callback("code=good&state=\(begun.state)", cookie: cookie)
        #expect(second.error == .invalidState)
        #expect(second.flow == nil)
        #expect(try await progress(begun.flow).key?.matches(key) == true)
    }

    @Test func `a callback at another address than the flow's own loses nothing`() async throws {
        let (begun, cookie) = try await begin()
        let astray = await installation.callback(
            "code=good&state=\(begun.state)", at: RedirectPath(received: "other"), cookie: cookie)
        #expect(astray.flow == nil)
        #expect(await installation.callback("code=good&state=\(begun.state)", cookie: cookie).key != nil)
        #expect(try await progress(begun.flow).name == "succeeded")
    }

    @Test func `a stranger who comes second is told nothing, and tells nothing`() async throws {
        let (begun, _) = try await begin()
        let other = try await installation.begin(verifier: Self.verifier)
        let cookie = try await installation.cookie(of: other, verifier: Self.verifier)
        _ = await installation.callback("code=good&state=\(begun.state)")
        for cookie in [nil, cookie, BindingCookie(String(repeating: "A", count: 86))] {
            #expect(await installation.callback("code=good&state=\(begun.state)", cookie: cookie).flow == nil)
        }
        #expect(try await progress(begun.flow).name == "pending")
    }

    private func begin() async throws -> (Begun, BindingCookie) {
        let begun = try await installation.begin(verifier: Self.verifier)
        return (begun, try await installation.cookie(of: begun, verifier: Self.verifier))
    }

    // MARK: the success page

    @Test func `a key is taken once the page that began was told it`() async throws {
        let (begun, key) = try await installation.connect(verifier: Self.verifier, bound: true)
        #expect(try await !installation.broker.isTaken(key))
        #expect(try await progress(begun.flow, verifier: Self.verifier + "x").name == "pending")
        #expect(try await !installation.broker.isTaken(key))
        #expect(try await progress(begun.flow).name == "succeeded")
        #expect(try await installation.broker.isTaken(key))
        #expect(try await installation.redeem(key, verifier: Self.verifier) != nil)
    }

    @Test func `a key is taken once it was redeemed`() async throws {
        let (_, key) = try await installation.connect(verifier: Self.verifier)
        #expect(try await installation.redeem(key, verifier: Self.verifier + "x") == nil)
        #expect(try await !installation.broker.isTaken(key))
        #expect(try await installation.redeem(key, verifier: Self.verifier) != nil)
        #expect(try await installation.broker.isTaken(key))
        #expect(try await !installation.broker.isTaken(.random()))
    }

    // MARK: everyone else

    /// Otherwise whoever mails an authorization address to a victim could fetch the victim's tokens.
    @Test func `a callback in another browser is pending for ever`() async throws {
        let (begun, _) = try await installation.connect(verifier: Self.verifier, bound: false)
        #expect(try await progress(begun.flow).name == "pending")
        let failed = try await installation.begin(verifier: Self.verifier)
        _ = await installation.callback("error=access_denied&state=\(failed.state)")
        #expect(try await progress(failed.flow).name == "pending")
    }

    @Test func `another flow's cookie binds nothing`() async throws {
        let (begun, other) = (
            try await installation.begin(verifier: Self.verifier), try await installation.begin(verifier: Self.verifier)
        )
        let cookie = try await installation.cookie(of: other, verifier: Self.verifier)
        _ = await installation.callback("code=good&state=\(begun.state)", cookie: cookie)
        #expect(try await progress(begun.flow).name == "pending")
    }

    @Test(arguments: [
        "", "x", "8xLOxBtZp8WyMqYrSWNtPRAbBJrQ9hQ4M-9tJ1bYzXE", String(repeating: "A", count: 86),
    ])
    func `a made-up cookie binds nothing and stops nothing`(_ text: String) async throws {
        let begun = try await installation.begin(verifier: Self.verifier)
        #expect(await installation.callback("code=good&state=\(begun.state)", cookie: BindingCookie(text)).key != nil)
        #expect(try await progress(begun.flow).name == "pending")
    }

    @Test func `an altered cookie binds nothing`() async throws {
        let begun = try await installation.begin(verifier: Self.verifier)
        let cookie = try await installation.cookie(of: begun, verifier: Self.verifier).expose { $0 }
        let altered = BindingCookie((cookie.hasPrefix("A") ? "B" : "A") + cookie.dropFirst())
        #expect(await installation.callback("code=good&state=\(begun.state)", cookie: altered).key != nil)
        #expect(try await installation.store.outcome(of: begun.flow)?.isBound == false)
        #expect(try await installation.store.outcome(of: begun.flow)?.key == nil)
        #expect(try await progress(begun.flow).name == "pending")
    }

    @Test func `whoever has the cookie alone is told nothing`() async throws {
        let begun = try await installation.begin(verifier: Self.verifier)
        let cookie = try await installation.cookie(of: begun, verifier: Self.verifier)
        let key = try #require(await installation.callback("code=good&state=\(begun.state)", cookie: cookie).key)
        for part in cookie.expose({ [$0, String($0.prefix(43)), String($0.suffix(43))] }) {
            #expect(try await progress(begun.flow, verifier: part).name == "pending")
            #expect(try await installation.redeem(key, verifier: part) == nil)
        }
    }

    @Test func `a wrong verifier, another tenant and an unknown flow are pending`() async throws {
        let (begun, _) = try await installation.connect(verifier: Self.verifier, bound: true)
        #expect(try await progress(begun.flow, verifier: Self.verifier + "x").name == "pending")
        #expect(try await progress(begun.flow, tenant: "other").name == "pending")
        #expect(try await progress(FlowID(of: State.random())).name == "pending")
        #expect(try await progress(begun.flow).name == "succeeded")
    }

    @Test func `a flow without a challenge is pending`() async throws {
        let (begun, _) = try await installation.connect()
        #expect(try await progress(begun.flow).name == "pending")
    }

    @Test func `a flow whose key expired is pending`() async throws {
        let (begun, _) = try await installation.connect(verifier: Self.verifier, bound: true)
        installation.clock.advance(milliseconds: 299_999)
        #expect(try await progress(begun.flow).name == "succeeded")
        installation.clock.advance(milliseconds: 1)
        #expect(try await progress(begun.flow).name == "pending")
        try await installation.broker.sweep()
        #expect(try await progress(begun.flow).name == "pending")
    }

    @Test func `a failure is pending once the flow expired`() async throws {
        let begun = try await installation.begin(verifier: Self.verifier)
        let cookie = try await installation.cookie(of: begun, verifier: Self.verifier)
        _ = await installation.callback("error=access_denied&state=\(begun.state)", cookie: cookie)
        installation.clock.advance(seconds: 600)
        #expect(try await progress(begun.flow).name == "pending")
    }

    private func progress(
        _ flow: FlowID, tenant: String = "acme", verifier: String = verifier
    ) async throws -> Broker.FlowStatus {
        try await installation.broker.flowStatus(
            of: flow, for: Samples.tenant(tenant), verifier: ExchangeVerifier(verifier))
    }
}
