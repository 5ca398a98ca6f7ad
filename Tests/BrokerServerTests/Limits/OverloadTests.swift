import Broker
import HTTPTypes
import HummingbirdTesting
import Testing

@Suite struct OverloadTests {
    private let json: HTTPFields = [.accept: "application/json"]

    @Test func `a callback that could not be exchanged now spends no state`() async throws {
        let provider = ScriptedProvider()
        let fixture = try await Fixture(provider: provider)
        let json = json
        try await fixture.run { client async throws in
            let started = try await fixture.authorize(client)
            let uri = "\(started.callback)?code=c&state=\(started.state)"
            provider.isBusy = true
            let refused = try await client.get(uri, json)
            #expect(refused.status == .serviceUnavailable)
            #expect(refused.code == "unavailable")
            #expect(refused.headers[.retryAfter] == "5")
            #expect(try await client.get(uri).headers[.contentType] == "text/html; charset=utf-8")
            provider.isBusy = false
            #expect(try await client.get(uri).status == .found)
        }
    }

    @Test func `a provider's full queue is 503`() async throws {
        let fixture = try await Fixture(
            provider: ScriptedProvider { _ throws(TransportError) in throw .overloaded })
        let json = json
        try await fixture.run { client async throws in
            let started = try await fixture.authorize(client)
            let answer = try await client.get("\(started.callback)?code=c&state=\(started.state)", json)
            #expect(answer.status == .serviceUnavailable)
            #expect(answer.headers[.retryAfter] == "5")
        }
    }
}
