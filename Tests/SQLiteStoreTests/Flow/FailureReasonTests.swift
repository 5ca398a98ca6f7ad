import Broker
import Secrets
import Testing
import Transport

/// The reason why a callback failed, as its event tells operators: reported, and in the trail.
@Suite struct FailureReasonTests {
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let query: String
        let code: String
        let detail: String
        var sourceType = "example"
        var testDescription: String { query }
    }

    @Test(arguments: [
        Row(query: "", code: "invalid_callback", detail: "no code came"),
        Row(query: "code=a&error=b", code: "invalid_callback", detail: "a code and an error came together"),
        Row(
            query: "error=access_denied&error_description=Not+now%0A", code: "access_denied",
            detail: #"the provider redirected with the error "access_denied": "Not now\u{A}""#),
        Row(
            query: "error=%3Cb%3E%1B", code: "access_denied",
            detail: #"the provider redirected with the error "<b>\u{1B}""#),
        Row(
            query: "error=x&error_description=of+4f0Ab4c4d4e4f", code: "x",
            detail: #"the provider redirected with the error "x": "of [hidden]""#),
        Row(
            query: "code=a", code: "issuer_mismatch",
            detail: "no iss came, though this provider sends it (RFC 9207)", sourceType: "strict"),
        Row(
            query: "code=a&iss=https://evil.example", code: "issuer_mismatch",
            detail: #"iss is "https://evil.example""#, sourceType: "strict"),
    ])
    func `a bad callback is told with the check that failed`(_ row: Row) async throws {
        let begun = try await installation.begin(row.sourceType)
        _ = await installation.callback("\(row.query)&state=\(begun.state)")
        try await expect(begun, code: row.code, detail: row.detail)
    }

    /// Of a provider that puts into its error what nobody may be told; `STATE` stands for the flow's state.
    @Test(arguments: [
        "error=STATE", "error=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "error=client-hunter2",
        "error=CLIENT-HUNTER2",
        "error=invalid_state", "error=unavailable", "error=Provider_Timeout", "error=popup_closed", "error=expired",
        "error=a%20b",
    ])
    func `an error that is a secret or a code of the broker's own is told as access_denied`(_ query: String)
        async throws
    {
        let begun = try await installation.begin()
        let sent = query.replacing("STATE", with: begun.state)
        let result = await installation.callback(
            "\(sent)&error_description=of+ya29.a0AfH6SMBx1+for+\(begun.state)&state=\(begun.state)")
        #expect(result.error?.code == "access_denied")
        #expect(result.error?.providerDescription == "of [hidden] for [hidden]")
        let outcome = try #require(try await installation.store.outcome(of: begun.flow))
        #expect(outcome.error == "access_denied" && outcome.errorDescription == "of [hidden] for [hidden]")
        let event = try #require(installation.events.all.last)
        #expect(event.code == "access_denied")
        for secret in [begun.state, "hunter2", "HUNTER2", "eyJ", "ya29"] {
            #expect(event.detail?.contains(secret) == false)
        }
    }

    @Test func `an error of the protocol is told as it came`() async throws {
        for code in ["invalid_request", "temporarily_unavailable", "consent_required", "user.cancelled"] {
            let begun = try await installation.begin()
            #expect(await installation.callback("error=\(code)&state=\(begun.state)").error?.code == code)
        }
    }

    /// Of a remark on an `iss` that nothing expects, nothing may pass for the broker's words.
    @Test(arguments: ["error=x", "code=good"])
    func `an issuer that was not expected is quoted, without secrets`(_ query: String) async throws {
        let begun = try await installation.begin()
        _ = await installation.callback(
            "\(query)&iss=https://x%5C%22+was+expected;+\(begun.state)&state=\(begun.state)")
        let detail = try #require(installation.events.all.last?.detail)
        #expect(detail.hasSuffix(#"iss "https://x\\\" was expected; [hidden]" was not expected"#))
    }

    @Test(arguments: [
        (#"{"error":"invalid_grant"}"#, 400, #"answered 400 with the error "invalid_grant""#),
        (#"{"error":"invalid_client"}"#, 401, #"answered 401 with the error "invalid_client""#),
        (#"{"error":"invalid_grant"}"#, 200, #"answered 200 with the error "invalid_grant""#),
        (
            #"{"error":"The code g00d-code was used"}"#, 400,
            #"answered 400 with the error "The code [hidden] was used""#
        ),
        (#"{"error":"Bad\u001b[31m client"}"#, 400, #"answered 400 with the error "Bad\u{1B}[31m client""#),
        (#"{"error":{"code":1}}"#, 400, "answered 400 with an error that is no text"),
        ("oops", 500, "answered 500"), ("", 302, "answered 302"),
        ("<html>", 200, "answered 200 with something that is neither JSON nor a form"),
        ("{}", 200, "answered 200 without a sound /access_token"),
        (#"{"access_token":""}"#, 200, "answered 200 without a sound /access_token"),
    ])
    func `a refused exchange is told with the provider's status and error`(
        _ body: String, _ status: Int, _ detail: String
    ) async throws {
        await installation.provider.answers(body, status: status)
        let begun = try await installation.begin()
        _ = await installation.callback("code=g00d-code&state=\(begun.state)")
        try await expect(begun, code: "provider_rejected", detail: "the token endpoint: \(detail)")
    }

    @Test(arguments: TransportError.allCases)
    func `a failed connection is told by its kind, in words`(_ failure: TransportError) async throws {
        await installation.provider.answers { _ throws(TransportError) in throw failure }
        let begun = try await installation.begin()
        let code = try #require(await installation.callback("code=good&state=\(begun.state)").error?.code)
        let isOurs = [.cancelled, .overloaded, .rateLimited].contains(failure)
        try await expect(
            begun, code: code, detail: (isOurs ? "" : "the token endpoint: ") + failure.reason.description)
    }

    @Test func `a flow whose client changed is told as that`() async throws {
        let begun = try await installation.begin()
        let other = try installation.beside(clients: ["example": Client(id: "another", secret: ClientSecret("s"))])
        _ = await other.callback("code=good&state=\(begun.state)")
        let detail = "its client, or that client's parameters, changed since it began"
        #expect(other.events.all.last?.detail == detail)
    }

    @Test func `a flow that was revoked meanwhile is told as that`() async throws {
        let (store, clock) = (installation.store, installation.clock)
        await installation.provider.answers { _ throws(TransportError) in
            _ = try? await store.sweep(at: clock.now.adding(seconds: 1_000), limit: 10)
            return ProviderResponse(status: 200, body: Array(ScriptedProvider.tokens.utf8))
        }
        let begun = try await installation.begin()
        _ = await installation.callback("code=good&state=\(begun.state)")
        #expect(installation.events.all.last?.detail == "the flow was revoked or expired while the provider was asked")
    }

    @Test(arguments: [
        ("", "no state came"), ("code=a&state=short", "the state that came is none of this broker's"),
        ("state=a&state=b&code=c", "state came twice"),
        (
            "error=access_denied&error_description=No%1B",
            #"no state came; the provider's error is "access_denied": "No\u{1B}""#
        ),
        (
            "error=x&state=8xLOxBtZp8WyMqYrSWNtPRAbBJrQ9hQ4M-9tJ1bYzXE",
            #"no flow waits for this state: unknown, expired, spent, revoked, or begun for another address; the provider's error is "x""#
        ),
    ])
    func `a callback of no flow has its reason, with the provider's error`(_ query: String, _ reason: String) async {
        let result = await installation.callback(query)
        #expect(result.error == .invalidState && result.flow == nil)
        #expect(result.failure?.reason.description == reason)
        // Nobody fills the trail with it.
        #expect(installation.events.all.isEmpty)
    }

    /// The flow ends well, with a warning for whoever redeems.
    @Test func `a call after connecting that failed is told with what was answered`() async throws {
        let catalog = Installation.catalog.replacing(
            "      extras: { callback: [realmId] }",
            with: "      afterConnecting: { url: https://provider.example/me, extras: { site: /id } }")
        let installation = try Installation(catalog: catalog)
        await installation.provider.answers { request throws(TransportError) in
            if request.url.hasSuffix("/me") { return ProviderResponse(status: 403) }
            return ProviderResponse(status: 200, body: Array(ScriptedProvider.tokens.utf8))
        }
        let begun = try await installation.begin()
        #expect(await installation.callback("code=good&state=\(begun.state)").key != nil)
        let event = installation.events.all.last
        #expect(event?.kind == .flowSucceeded)
        #expect(event?.detail == "the call after connecting: answered 403, or with something else than JSON")
    }

    @Test func `a token that a provider does not take back is told with what it answered`() async throws {
        let (begun, _) = try await installation.connect("own")
        await installation.provider.answers(#"{"error":"unsupported_token_type"}"#, status: 503)
        let result = try await installation.broker.revoke(
            AdminRevocation(
                selection: Selection(flow: begun.flow), reason: "test", atProvider: true,
                requester: Requester(requestID: "r1")))
        #expect(result.failures.map(\.code) == ["provider_rejected"])
        let incident = try #require(installation.events.incidents.first)
        #expect(incident.kind == .tokenNotRevoked && incident.flow == begun.flow && incident.requestID == "r1")
        #expect(
            incident.reason
                == #"the revocation endpoint: answered 503 with the error "unsupported_token_type""#)
    }

    @Test func `an event that the trail cannot take is told with the reason`() async throws {
        let begun = try await installation.begin()
        let store = installation.store
        await installation.provider.answers { _ throws(TransportError) in
            await store.close()
            throw .timedOut
        }
        let result = await installation.callback("code=good&state=\(begun.state)")
        #expect(result.error == .providerTimeout)
        #expect(installation.events.all.last?.detail == "the token endpoint: no answer came in time")
        #expect(installation.events.incidents.map(\.kind) == [.eventNotRecorded])
        #expect(installation.events.incidents.first?.reason == "the broker stops")
        #expect(installation.events.incidents.first?.flow == begun.flow)
    }

    private func expect(_ begun: Begun, code: String, detail: String) async throws {
        let kept = try await installation.broker.events(EventFilter(kind: .flowFailed), limit: 10).events.first?.event
        for event in [installation.events.all.last, kept] {
            #expect(event?.kind == .flowFailed && event?.flow == begun.flow)
            #expect(event?.code == code)
            #expect(event?.detail == detail)
        }
    }
}
