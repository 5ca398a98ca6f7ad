import Formats
import Foundation
import TestSupport
import Testing
import Transport

@testable import Broker

@Suite(.timeLimit(.minutes(5))) struct FairTransportTests {
    private static func request(
        _ tenant: String, flow: Bool = false, url: String = "https://p.example/token"
    ) throws -> ProviderRequest {
        let tenant = try #require(TenantID(tenant))
        var request = ProviderRequest(method: .post, url: url)
        request.cause = flow ? .flow(tenant) : .call(tenant, until: .now)
        return request
    }

    private static func outcome(_ transport: FairTransport, _ request: ProviderRequest) async -> TransportError? {
        do throws(TransportError) {
            _ = try await transport.send(request)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a call that waited for its turn in vain is refused, a flow goes on waiting`() async throws {
        let (provider, patience) = (Gate(), Gate())
        let transport = FairTransport(
            HeldTransport(provider), shares: ProviderShares(perTenant: 1), sleep: { _ in await patience.pass() })
        let (call, flow) = (try Self.request("a"), try Self.request("a", flow: true))
        async let first = Self.outcome(transport, call)
        await provider.arrival()
        async let second = Self.outcome(transport, call)
        async let third = Self.outcome(transport, flow)
        await patience.arrival()
        #expect(await eventually { transport.waitingCount == 2 })
        patience.open()
        #expect(await second == .rateLimited)
        #expect(transport.refusedCount == 1)
        #expect(transport.waitingCount == 1)
        provider.open()
        #expect(await first == nil)
        #expect(await third == nil)
        #expect(transport.waitingCount == 0)
    }

    @Test func `a tenant's flood delays no other tenant`() async throws {
        let provider = Gate()
        let transport = FairTransport(
            HeldTransport(provider, only: "a.example"), sleep: { _ in try await Task.sleep(for: .seconds(3600)) })
        let hung = try Self.request("a", url: "https://a.example/token")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<500 { group.addTask { _ = await Self.outcome(transport, hung) } }
            await provider.arrival(of: 48)
            #expect(await eventually { transport.waitingCount == 452 })
            for _ in 0..<100 {
                #expect(await Self.outcome(transport, try Self.request("b", flow: true)) == nil)
                #expect(await Self.outcome(transport, try Self.request("c")) == nil)
            }
            provider.open()
            try await group.waitForAll()
        }
    }

    @Test func `a caller that gives up leaves the line, and its place is not lost`() async throws {
        let provider = Gate()
        let transport = FairTransport(HeldTransport(provider), shares: ProviderShares(perTenant: 1))
        let flow = try Self.request("a", flow: true)
        async let first = Self.outcome(transport, flow)
        await provider.arrival()
        let waiting = Task { await Self.outcome(transport, flow) }
        #expect(await eventually { transport.waitingCount == 1 })
        waiting.cancel()
        #expect(await waiting.value == .cancelled)
        let late = Task { await Self.outcome(transport, flow) }
        late.cancel()
        _ = await late.value
        #expect(transport.waitingCount == 0)
        provider.open()
        #expect(await first == nil)
        #expect(await Self.outcome(transport, flow) == nil)
    }

    @Test func `too many flows of one tenant make it busy and nobody else`() async throws {
        let provider = Gate()
        let transport = FairTransport(
            HeldTransport(provider), shares: ProviderShares(perTenant: 1, waitingOfFlows: 2))
        let (acme, other) = (try #require(TenantID("acme")), try #require(TenantID("other")))
        let flow = try Self.request("acme", flow: true)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<3 { group.addTask { _ = await Self.outcome(transport, flow) } }
            #expect(await eventually { transport.waitingCount == 2 })
            #expect(transport.isBusy)
            #expect(transport.isBusy(for: acme) && !transport.isBusy(for: other))
            provider.open()
        }
        #expect(!transport.isBusy && !transport.isBusy(for: acme))
    }

    @Test(arguments: [
        ("https://P.example/token", "p.example"), ("https://p.example:443?a", "p.example"),
        ("http://p.example:80/", "p.example"), ("https://p.example:8443", "p.example:8443"),
        ("http://p.example:443/", "p.example:443"), ("https://[::1]:443/a:b", "[::1]"), ("", ""), ("nonsense", ""),
    ])
    func `a host has one share however it is written`(_ url: String, _ host: String) {
        #expect(FairTransport.host(of: url) == host)
    }
}

/// Answers once the gate is open, or at once where another host than `only` is asked.
private struct HeldTransport: ProviderTransport {
    let gate: Gate
    let only: String?

    init(_ gate: Gate, only: String? = nil) {
        self.gate = gate
        self.only = only
    }

    func send(_ request: ProviderRequest) async throws(TransportError) -> ProviderResponse {
        if only.map({ request.url.contains($0) }) ?? true { await gate.pass() }
        return ProviderResponse(status: 200)
    }
}
