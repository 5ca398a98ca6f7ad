import Broker
import Secrets
import Testing

/// The browser that gets the cookie which says "this browser began the flow".
@Suite struct BindingCookieTests {
    private static let verifier = "an-exchange-verifier-that-is-long-enough-for-it"
    private let installation: Installation
    private let begun: Begun

    init() async throws {
        installation = try Installation()
        begun = try await installation.begin(verifier: Self.verifier)
    }

    @Test func `who has the verifier, at the flow's own origin, gets it, and the same again`() async throws {
        let first = try #require(try await cookie())
        #expect(try await cookie()?.matches(first) == true)
    }

    @Test func `another verifier gets none`() async throws {
        #expect(try await cookie(verifier: Self.verifier + "x") == nil)
        #expect(try await cookie(verifier: "") == nil)
    }

    @Test(arguments: [
        "https://second.example.com", "https://evil.example", "https://app.example.com/", "http://app.example.com",
        "null", "",
    ])
    func `another origin gets none`(_ origin: String) async throws {
        #expect(try await cookie(origin: origin) == nil)
    }

    @Test func `an unknown flow has none`() async throws {
        #expect(try await cookie(of: FlowID(of: State.random())) == nil)
    }

    @Test func `a flow without a challenge has none`() async throws {
        #expect(try await cookie(of: installation.begin().flow) == nil)
    }

    @Test func `an expired flow has none`() async throws {
        installation.clock.advance(milliseconds: 599_999)
        #expect(try await cookie() != nil)
        installation.clock.advance(milliseconds: 1)
        #expect(try await cookie() == nil)
    }

    @Test(arguments: ["code=good", "error=access_denied"])
    func `a flow whose callback came has none`(_ query: String) async throws {
        _ = await installation.callback("\(query)&state=\(begun.state)")
        #expect(try await cookie() == nil)
    }

    @Test func `every flow has another`() async throws {
        let other = try await installation.begin(verifier: Self.verifier)
        let first = try #require(try await cookie())
        #expect(try await cookie(of: other.flow)?.matches(first) == false)
    }

    private func cookie(
        of flow: FlowID? = nil, verifier: String = verifier, origin: String = Installation.origin
    ) async throws -> BindingCookie? {
        try await installation.broker.bindingCookie(
            for: flow ?? begun.flow, verifier: ExchangeVerifier(verifier), frontendOrigin: origin)
    }
}
