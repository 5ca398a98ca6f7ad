import Assets
import Formats
import Secrets
import Testing
import Transport

@testable import AssetServer

@Suite struct BrokerFaultTests {
    private func words(_ fault: SourceFault?) -> String? {
        if case .brokerUnreachable(let words)? = fault { words } else { nil }
    }

    private func fault(_ fixture: TokensFixture) async throws -> SourceFault? {
        let source = try #require(try fixture.tokens().source(of: fixture.asset))
        return await source.fault
    }

    @Test(arguments: [TransportError.unreachable, .connectionRefused, .nameNotResolved, .timedOut, .tlsFailed])
    func `a broker that does not answer is asked again`(_ error: TransportError) async throws {
        let fixture = try await TokensFixture()
        fixture.script([.failure(error), .failure(error)])
        #expect(try await fixture.tokens().source(of: fixture.asset)?.text == "access-3")
        #expect(fixture.pauses == [.seconds(1), .seconds(2)])
    }

    @Test(arguments: [
        (429, "rate_limited"), (503, "unavailable"), (500, "internal_error"), (502, "provider_unreachable"),
        (504, "provider_timeout"), (502, "provider_rejected"),
    ])
    func `a fault that may pass is tried again, after the time that the broker asks for`(
        _ status: Int, _ code: String
    ) async throws {
        let fixture = try await TokensFixture()
        fixture.script(status, code, [("retry-after", "7")])
        #expect(try await fixture.tokens().source(of: fixture.asset)?.text == "access-2")
        #expect(fixture.pauses == [code == "internal_error" ? .seconds(1) : .seconds(7)])
    }

    @Test func `the broker's wait is bounded by the policy`() async throws {
        let fixture = try await TokensFixture()
        fixture.script(503, "unavailable", [("retry-after", "3600")])
        _ = try await fixture.tokens().source(of: fixture.asset)?.text
        #expect(fixture.pauses == [.seconds(60)])
    }

    @Test func `after all tries the broker is unreachable, and the next asker begins anew`() async throws {
        let fixture = try await TokensFixture()
        fixture.script(Array(repeating: .failure(.connectionRefused), count: 3))
        let source = try #require(try fixture.tokens(attempts: 3).source(of: fixture.asset))
        #expect(words(await source.fault)?.contains("connection_refused") == true)
        #expect(fixture.requests.count == 3)
        #expect(try await source.text == "access-4")
    }

    @Test(arguments: [
        (401, "invalid_token"), (403, "wrong_tenant"), (403, "insufficient_scope"), (400, "unknown_source_type"),
        (409, "source_type_not_configured"), (400, "invalid_parameter"), (400, "invalid_request"), (418, "teapot"),
    ])
    func `a fault that stays is not tried again, and tells an operator what it is`(
        _ status: Int, _ code: String
    ) async throws {
        let fixture = try await TokensFixture()
        fixture.script(status, code)
        let told = words(try await fault(fixture)) ?? ""
        #expect(told.contains("broker") && !told.contains("refresh-0"))
        #expect(fixture.requests.count == 1)
    }

    @Test func `a transport that is shut down ends the asking, and no grant`() async throws {
        let fixture = try await TokensFixture()
        fixture.script([.failure(.cancelled)])
        #expect(try await fault(fixture) == .cancelled)
    }
}
