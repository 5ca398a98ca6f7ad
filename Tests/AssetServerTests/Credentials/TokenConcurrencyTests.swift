import Assets
import Formats
import Secrets
import TestSupport
import Testing
import Transport

@testable import AssetServer

@Suite struct TokenConcurrencyTests {
    private let gate = Gate()

    private func ask(_ source: any AccessTokenSource) -> Task<Result<String, SourceFault>, Never> {
        Task {
            do throws(SourceFault) { return .success(try await source.text) } catch { return .failure(error) }
        }
    }

    @Test func `of a hundred that ask for an asset's token, one refreshes`() async throws {
        let fixture = try await TokensFixture(gate: gate)
        let tokens = try fixture.tokens()
        // Operations and requests each fetch the asset's source for themselves.
        let askers = try (0..<100).map { _ in ask(try #require(tokens.source(of: fixture.asset))) }
        await gate.arrival()
        gate.open()
        for asker in askers { #expect(await asker.value == .success("access-1")) }
        #expect(try fixture.refreshes == ["refresh-0"])
        #expect(try await fixture.storedRefreshToken == "refresh-1")
    }

    @Test func `who connects again while a refresh is under way has the last word`() async throws {
        let fixture = try await TokensFixture(gate: gate)
        let source = try #require(try fixture.tokens().source(of: fixture.asset))
        let asker = ask(source)
        await gate.arrival()
        try await fixture.connectAgain("access-new", refreshToken: "refresh-new")
        #expect(try await source.text == "access-new")
        gate.open()
        #expect(await asker.value == .success("access-new"))
        #expect(try await fixture.storedRefreshToken == "refresh-new")
    }

    @Test func `the tokens of a refresh are kept though its operation was cancelled`() async throws {
        let fixture = try await TokensFixture(gate: gate)
        let tokens = try fixture.tokens()
        do {
            let asker = ask(try #require(tokens.source(of: fixture.asset)))
            await gate.arrival()
            asker.cancel()
            #expect(await asker.value == .failure(.cancelled))
        }
        // The next operation begins before the refresh has ended, and waits for it.
        let next = ask(try #require(tokens.source(of: fixture.asset)))
        gate.open()
        #expect(await next.value == .success("access-1"))
        #expect(try fixture.refreshes == ["refresh-0"])
        #expect(try await fixture.storedRefreshToken == "refresh-1")
    }

    @Test func `refreshes of two assets do not wait for each other`() async throws {
        let fixture = try await TokensFixture(gate: gate)
        let other = TokensFixture.asset(of: fixture.asset.tenant)
        let credentials = AssetCredentials(
            accessToken: AccessToken("a"), refreshToken: RefreshToken("other"), expiresAt: TokensFixture.now)
        try await fixture.keep(other, credentials.sealed(by: fixture.keyRing, of: other.id, other.tenant))
        let tokens = try fixture.tokens()
        let askers = try [fixture.asset, other].map { ask(try #require(tokens.source(of: $0))) }
        await gate.arrival(of: 2)
        gate.open()
        for asker in askers { _ = await asker.value }
        #expect(try fixture.refreshes.sorted() == ["other", "refresh-0"])
    }
}
