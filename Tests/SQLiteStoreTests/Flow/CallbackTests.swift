import Broker
import Foundation
import Secrets
import TestSupport
import Testing
import Transport

@Suite struct CallbackTests {
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    /// RFC 6749 § 4.1.3 and RFC 7636 § 4.6: the verifier that is sent is that of the challenge.
    @Test func `a good callback sends the code and the verifier to the provider once`() async throws {
        let begun = try await installation.begin()
        #expect(await installation.callback("code=g%2Fod&state=\(begun.state)").key != nil)
        let form = await installation.provider.form
        #expect(form["grant_type"] == "authorization_code")
        #expect(form["code"] == "g/od")
        #expect(form["redirect_uri"] == begun["redirect_uri"])
        let verifier = try #require(form["code_verifier"].flatMap { ExchangeVerifier(checking: $0) })
        #expect(CodeChallenge(of: verifier).text == begun["code_challenge"])
        #expect(installation.events.kinds == ["flow.started", "flow.succeeded"])
    }

    @Test func `a good callback gives a key that is good once`() async throws {
        let (_, key) = try await installation.connect()
        #expect(key.expose { $0.hasPrefix("ckr_") })
        let json = try #require(try await installation.redeem(key))
        #expect(
            json == #"""
                {"accessToken":"access-hunter2","expiresAt":1790003600000,"extras":{},"idToken":"id-hunter2","refreshToken":"refresh-hunter2","scope":null,"sourceType":"example","tokenType":"Bearer","warnings":[]}
                """#)
        #expect(try await installation.redeem(key) == nil)
        #expect(installation.events.kinds.suffix(2) == ["credential_key.redeemed", "credential_key.reused"])
    }

    @Test func `extras come with the credentials`() async throws {
        let begun = try await installation.begin()
        let key = try #require(await installation.callback("code=good&state=\(begun.state)&realmId=12").key)
        #expect(try await installation.redeem(key)?.contains(#""extras":{"realmId":"12"}"#) == true)
    }

    @Test func `the token address has the flow's own parameters`() async throws {
        let begun = try await installation.begin("subdomain", parameters: ["subdomain": "acme"])
        _ = await installation.callback("code=good&state=\(begun.state)&subdomain=evil")
        #expect(await installation.provider.requests.map(\.url) == ["https://acme.provider.example/token"])
    }

    // MARK: the state

    @Test(arguments: [
        "", "code=good", "code=good&state=", "code=good&state=short",
        "code=good&state=8xLOxBtZp8WyMqYrSWNtPRAbBJrQ9hQ4M-9tJ1bYzXE",
        "error=access_denied", "code=good&state=%ZZ",
    ])
    func `a callback without a state of ours is refused and nobody is told`(_ query: String) async throws {
        let result = await installation.callback(query)
        #expect(result.error == .invalidState)
        #expect(result.flow == nil)
        #expect(await installation.provider.requests.isEmpty)
    }

    @Test func `a state that is repeated or altered spends nothing`() async throws {
        let begun = try await installation.begin()
        let last = begun.state.last == "A" ? "E" : "A"
        for state in [
            "\(begun.state)&state=\(begun.state)", "\(begun.state)A", "\(begun.state.dropLast())\(last)",
            begun.state.lowercased(),
        ] {
            #expect(await installation.callback("code=good&state=\(state)").error == .invalidState)
        }
        #expect(await installation.callback("code=good&state=\(begun.state)").key != nil)
    }

    /// RFC 6749 § 3.1: neither of the two can be believed.
    @Test(arguments: [
        ("code=good&code=good", CallbackError.invalidCallback), ("code=good&code=", .invalidCallback),
        ("error=a&error=b", .invalidCallback), ("code=good&error=a&error=a", .invalidCallback),
        ("error=a&code=good&code=good", .invalidCallback), ("code=good&c%6Fde=x", .invalidCallback),
        ("code=good&iss=a&iss=a", .issuerMismatch),
    ])
    func `a callback in which a parameter comes twice sends no code and spends nothing`(
        _ query: String, _ expected: CallbackError
    ) async throws {
        let begun = try await installation.begin()
        let result = await installation.callback("\(query)&state=\(begun.state)")
        #expect(result.error == expected && result.flow == nil)
        #expect(await installation.provider.requests.isEmpty)
        let good = "code=good&error_description=a&error_description=b&more=1&more=2"
        #expect(await installation.callback("\(good)&state=\(begun.state)").key != nil)
    }

    @Test(arguments: ["code=good", "error=access_denied", "code=a&error=b", "", "code=&error="])
    func `a state is spent by its first callback, whatever came of it`(_ first: String) async throws {
        let begun = try await installation.begin()
        _ = await installation.callback("\(first)&state=\(begun.state)")
        let sent = await installation.provider.requests.count
        let again = await installation.callback("code=good&state=\(begun.state)")
        #expect(again.error == .invalidState)
        #expect(again.flow == nil)
        #expect(await installation.provider.requests.count == sent)
    }

    @Test func `a state expires`() async throws {
        let (early, late) = (try await installation.begin(), try await installation.begin())
        installation.clock.advance(milliseconds: 599_999)
        #expect(await installation.callback("code=good&state=\(early.state)").key != nil)
        installation.clock.advance(milliseconds: 1)
        #expect(await installation.callback("code=good&state=\(late.state)").error == .invalidState)
    }

    @Test func `what goes on without the browser stays on the executor of its request`() async throws {
        let begun = try await installation.begin()
        let redirect = try #require(try await installation.store.outcome(of: FlowID(of: State(begun.state))))
            .flow.redirect
        let request = CallbackRequest("code=good&state=\(begun.state)".utf8, at: redirect) { _ in nil }
        let executor = CountingExecutor()
        #expect(await installation.broker.callback(request, on: executor).key != nil)
        #expect(executor.jobCount > 0)
    }

    @Test func `of 32 callbacks of one state one reaches the provider`() async throws {
        let (installation, begun) = (installation, try await installation.begin())
        let keys = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<32 {
                group.addTask { await installation.callback("code=good&state=\(begun.state)").key != nil }
            }
            return await group.reduce(into: 0) { if $1 { $0 += 1 } }
        }
        #expect(keys == 1)
        #expect(await installation.provider.requests.count == 1)
    }

    // MARK: code and error

    @Test(arguments: ["", "code=", "code=a&error=b"])
    func `anything but one code or one error is refused and no code is sent`(_ query: String) async throws {
        let begun = try await installation.begin()
        let result = await installation.callback("\(query)&state=\(begun.state)")
        #expect(result.error == .invalidCallback)
        #expect(result.flow?.id == begun.flow)
        #expect(await installation.provider.requests.isEmpty)
        #expect(installation.events.all.last?.code == "invalid_callback")
    }

    /// RFC 6749 § 4.1.2.1.
    @Test(arguments: [
        ("error=access_denied", "access_denied", nil),
        ("error=server_error&error_description=Try+later", "server_error", "Try later"),
        ("error=AADSTS65004", "AADSTS65004", nil), ("error=%3Cscript%3E", "access_denied", nil),
        ("error=a%0Ab", "access_denied", nil),
        ("error=x&error_description=a%0D%0Ab%00", "x", "a  b"),
        ("error=x&error_description=a&error_description=b", "x", "a"),
    ])
    func `the provider's error is told, made harmless`(_ query: String, _ code: String, _ description: String?)
        async throws
    {
        let begun = try await installation.begin()
        let result = await installation.callback("\(query)&state=\(begun.state)")
        #expect(result.error == .denied(error: code, description: description))
        let outcome = try #require(try await installation.store.outcome(of: begun.flow))
        #expect(outcome.status == .failed)
        #expect(outcome.error == code)
        #expect(outcome.errorDescription == description)
    }

    // MARK: the provider

    @Test(arguments: [
        (#"{"error":"invalid_grant"}"#, 400, "invalid_grant"), (#"{"error":"The code abc was used"}"#, 400, nil),
        (#"{"error":"incorrect_client_credentials"}"#, 200, "incorrect_client_credentials"),
        ("<html>oops</html>", 200, nil),
        ("", 500, nil), ("{}", 200, nil), ("", 302, nil),
    ])
    func `an answer that is no token response is told as refused`(_ body: String, _ status: Int, _ error: String?)
        async throws
    {
        await installation.provider.answers(body, status: status)
        let begun = try await installation.begin()
        #expect(await installation.callback("code=good&state=\(begun.state)").error == .providerRejected(error: error))
        #expect(try await installation.store.outcome(of: begun.flow)?.error == "provider_rejected")
    }

    @Test(
        arguments: [
            (.timedOut, .providerTimeout), (.unreachable, .providerUnreachable(.unreachable)),
            (.tlsFailed, .providerUnreachable(.tlsFailed)),
            (.addressNotAllowed, .providerUnreachable(.addressNotAllowed)),
            (.responseTooLarge, .providerRejected(error: nil)),
            (.malformedResponse, .providerRejected(error: nil)), (.cancelled, .store(.closed)),
        ] as [(TransportError, CallbackError)])
    func `a provider that does not answer is told`(_ failure: TransportError, _ error: CallbackError) async throws {
        await installation.provider.answers { _ throws(TransportError) in throw failure }
        let begun = try await installation.begin()
        #expect(await installation.callback("code=good&state=\(begun.state)").error == error)
        #expect(await installation.provider.requests.count == 1)
        #expect(try await installation.store.outcome(of: begun.flow)?.error == error.code)
    }

    /// The code would be spent for nothing, and the user would have to consent again.
    @Test func `a browser that goes away does not stop the exchange`() async throws {
        let (asked, answer) = (Gate(), Gate())
        await installation.provider.answers { _ throws(TransportError) in
            asked.open()
            await answer.pass()
            return ProviderResponse(status: Task.isCancelled ? 500 : 200, body: Array(ScriptedProvider.tokens.utf8))
        }
        let (installation, begun) = (installation, try await installation.begin())
        let callback = Task { await installation.callback("code=good&state=\(begun.state)").key }
        await asked.pass()
        callback.cancel()
        answer.open()
        let key = try #require(await callback.value)
        #expect(try await installation.redeem(key) != nil)
    }

    @Test func `a flow that was ended meanwhile gives no key`() async throws {
        let (store, clock) = (installation.store, installation.clock)
        await installation.provider.answers { _ throws(TransportError) in
            _ = try? await store.sweep(at: clock.now.adding(seconds: 1_000), limit: 10)
            return ProviderResponse(status: 200, body: Array(ScriptedProvider.tokens.utf8))
        }
        let begun = try await installation.begin()
        #expect(await installation.callback("code=good&state=\(begun.state)").error == .invalidState)
    }
}

/// Counts the jobs that it is given.
private final class CountingExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "cloakroom.tests")
    private let count = Locked(0)
    var jobCount: Int { count.withLock { $0 } }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedTaskExecutor()
        count.withLock { $0 += 1 }
        queue.async { job.runSynchronously(on: executor) }
    }
}
