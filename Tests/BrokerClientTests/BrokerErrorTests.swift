import Formats
import Secrets
import Testing
import Transport

@testable import BrokerClient

@Suite struct BrokerErrorTests {
    private func fault(_ broker: ScriptedBroker) async throws -> BrokerError? {
        let client = try Sample.client(broker)
        return await BrokerClientTests.fault { () throws(BrokerError) in
            try await client.redeem(CredentialKey("ckr_x"), for: Sample.tenant)
        }
    }

    /// Every code that the broker has for these calls.
    private static let codes: [(Int, String, BrokerError)] = [
        (400, "invalid_credential_key", .invalidCredentialKey),
        (400, "reauthorization_required", .reauthorizationRequired),
        (400, "unknown_source_type", .unknownSourceType),
        (400, "source_type_without_oauth", .sourceTypeWithoutOAuth),
        (400, "invalid_parameter", .invalidParameter),
        (409, "source_type_not_configured", .notConfigured),
        (409, "revocation_unsupported", .revocationUnsupported),
        (400, "invalid_request", .invalidRequest),
        (401, "invalid_token", .unauthorized),
        (403, "wrong_tenant", .wrongTenant),
        (429, "rate_limited", .rateLimited(retryAfter: .seconds(7))),
        (503, "unavailable", .unavailable(retryAfter: .seconds(7))),
        (500, "internal_error", .internalError),
        (502, "provider_rejected", .providerRejected(retryAfter: .seconds(7))),
        (502, "provider_unreachable", .providerUnreachable(retryAfter: .seconds(7))),
        (504, "provider_timeout", .providerTimedOut(retryAfter: .seconds(7))),
        (418, "teapot_shortage", .refused(status: 418, code: "teapot_shortage", retryAfter: .seconds(7))),
    ]

    @Test(arguments: codes)
    func `each code is an error of its own`(_ status: Int, _ code: String, _ error: BrokerError) async throws {
        let broker = Sample.problem(status, code, headers: [("retry-after", "7")])
        #expect(try await fault(broker) == error)
    }

    @Test func `a missing scope is named`() async throws {
        let broker = ScriptedBroker(
            403, #"{"code":"insufficient_scope","required":"credentials:write","granted":[]}"#)
        #expect(try await fault(broker) == .insufficientScope(required: "credentials:write"))
    }

    /// RFC 9110 § 10.2.3. The clock shows 2026-09-21T14:13:20Z.
    @Test(arguments: [
        ("0", Duration.seconds(0)), ("7", .seconds(7)), ("99999999999", .seconds(86_400)),
        ("Mon, 21 Sep 2026 14:13:30 GMT", .seconds(10)), ("Sun, 06 Nov 1994 08:49:37 GMT", .zero),
        ("-1", nil), ("soon", nil), ("", nil),
    ])
    func `the time to wait is seconds or a date, at most a day`(_ text: String, _ wait: Duration?) async throws {
        let broker = Sample.problem(429, "rate_limited", headers: [("retry-after", text)])
        #expect(try await fault(broker)?.retryAfter == wait)
    }

    @Test(arguments: ["", "<html>busy</html>", "[]", #"{"code":7}"#, #"{"code":"Bearer s3cret token"}"#])
    func `a refusal without a code of the broker's is told by its status alone`(_ body: String) async throws {
        #expect(
            try await fault(ScriptedBroker(503, body)) == .refused(status: 503, code: nil, retryAfter: nil))
    }

    @Test func `a redirect is not followed, and no answer`() async throws {
        let broker = ScriptedBroker(302, headers: [("location", "https://elsewhere.example")])
        #expect(try await fault(broker) == .refused(status: 302, code: nil, retryAfter: nil))
    }

    @Test(arguments: TransportError.allCases)
    func `a connection without answer is told by its kind`(_ error: TransportError) async throws {
        let broker = ScriptedBroker { _ throws(TransportError) in throw error }
        let expected: BrokerError =
            switch error {
            case .timedOut: .timedOut
            case .cancelled: .cancelled
            default: .unreachable(error)
            }
        #expect(try await fault(broker) == expected)
    }

    @Test func `errors that may pass are told from those that stay`() {
        let passing: [BrokerError] = [
            .rateLimited(retryAfter: nil), .unavailable(retryAfter: nil), .internalError, .timedOut,
            .providerRejected(retryAfter: nil), .providerUnreachable(retryAfter: nil),
            .providerTimedOut(retryAfter: nil), .unreachable(.connectionRefused), .malformedAnswer(status: 200),
            .refused(status: 502, code: nil, retryAfter: nil), .refused(status: 429, code: nil, retryAfter: nil),
        ]
        let staying: [BrokerError] = [
            .invalidCredentialKey, .reauthorizationRequired, .unknownSourceType, .sourceTypeWithoutOAuth,
            .invalidParameter, .notConfigured, .revocationUnsupported, .invalidRequest, .unauthorized, .wrongTenant,
            .insufficientScope(required: nil), .noToken(.fileUnreadable), .cancelled, .unreachable(.addressNotAllowed),
            .refused(status: 404, code: nil, retryAfter: nil),
        ]
        #expect(passing.allSatisfy(\.isTemporary) && !staying.contains(where: \.isTemporary))
    }

    @Test func `no sentence of an answer is in an error`() async throws {
        let broker = ScriptedBroker(400, #"{"code":"invalid_request","detail":"s3cret","title":"s3cret"}"#)
        expectHidden(try #require(try await fault(broker)), ["s3cret"])
    }
}
