import AssetReaders
import Assets
import Formats
import Foundation
import Secrets
import Testing
import Transport

@testable import AssetServer

@Suite struct AssetTokensTests {
    @Test func `a token that lives on is given as the store has it`() async throws {
        let fixture = try await TokensFixture(endingIn: 61)
        let source = try #require(try fixture.tokens().source(of: fixture.asset))
        #expect(try await source.text == "access-0")
        #expect(fixture.requests.isEmpty)
    }

    @Test func `a token that ends within a minute is refreshed, and what comes is kept`() async throws {
        let fixture = try await TokensFixture(endingIn: 60)
        let source = try #require(try fixture.tokens().source(of: fixture.asset))
        #expect(try await source.text == "access-1")
        #expect(try await fixture.storedRefreshToken == "refresh-1")
        #expect(try await source.text == "access-1")
        let request = try #require(fixture.requests.first)
        #expect(request.url == "https://broker.example.com/v1/tenants/acme/assets:refreshCredentials")
        #expect(
            try StrictJSON.object(request.body ?? []) == [
                "sourceType": .string("google_drive"), "refreshToken": .string("refresh-0"),
            ])
        #expect(fixture.requests.count == 1)
    }

    @Test func `the next operation finds what was kept`() async throws {
        let fixture = try await TokensFixture()
        let tokens = try fixture.tokens()
        _ = try await tokens.source(of: fixture.asset)?.text
        #expect(try await tokens.source(of: fixture.asset)?.text == "access-1")
        #expect(try await fixture.tokens().source(of: fixture.asset)?.text(inPlaceOf: "access-1") == "access-2")
        #expect(try fixture.refreshes == ["refresh-0", "refresh-1"])
    }

    @Test func `a refused token is replaced once, and a second refusal ends the grant`() async throws {
        let fixture = try await TokensFixture(endingIn: 3600)
        let source = try #require(try fixture.tokens().source(of: fixture.asset))
        #expect(try await source.text(inPlaceOf: "access-0") == "access-1")
        await #expect(throws: SourceFault.reauthorizationRequired) { try await source.text(inPlaceOf: "access-1") }
        #expect(try fixture.refreshes == ["refresh-0"])
    }

    @Test func `a token of the user's own is never refreshed`() async throws {
        let fixture = try await TokensFixture(endingIn: nil, refreshToken: nil)
        let source = try #require(try fixture.tokens().source(of: fixture.asset))
        #expect(try await source.text == "access-0")
        await #expect(throws: SourceFault.reauthorizationRequired) { try await source.text(inPlaceOf: "access-0") }
        #expect(fixture.requests.isEmpty)
    }

    @Test func `an asset without credentials has no tokens`() async throws {
        let fixture = try await TokensFixture()
        let other = TokensFixture.asset(of: fixture.asset.tenant, hasCredentials: false)
        #expect(try fixture.tokens().source(of: other) == nil)
    }

    @Test func `an asset that is deleted has no tokens any more`() async throws {
        let fixture = try await TokensFixture(endingIn: 3600)
        let source = try #require(try fixture.tokens().source(of: fixture.asset))
        #expect(await source.fault == nil)
        _ = try await fixture.store.delete(fixture.asset.id, of: fixture.asset.tenant)
        #expect(await source.fault == .reauthorizationRequired)
    }

    // MARK: connecting again

    @Test func `credentials that took the place of others serve from the next token on`() async throws {
        let fixture = try await TokensFixture(endingIn: 3600)
        let source = try #require(try fixture.tokens().source(of: fixture.asset))
        _ = try await source.text
        try await fixture.connectAgain("access-new")
        #expect(try await source.text == "access-new")
    }

    @Test func `a token that was refused before somebody connected again costs no refresh`() async throws {
        let fixture = try await TokensFixture(endingIn: 3600)
        let source = try #require(try fixture.tokens().source(of: fixture.asset))
        _ = try await source.text
        try await fixture.connectAgain("access-new", refreshToken: "refresh-new")
        #expect(try await source.text(inPlaceOf: "access-0") == "access-new")
        #expect(fixture.requests.isEmpty)
    }

    @Test func `a grant that is at its end is followed by the one that a person connects`() async throws {
        let fixture = try await TokensFixture()
        fixture.script(400, "reauthorization_required")
        let source = try #require(try fixture.tokens().source(of: fixture.asset))
        #expect(await source.fault == .reauthorizationRequired)
        #expect(await source.fault == .reauthorizationRequired)
        #expect(fixture.requests.count == 1)
        try await fixture.connectAgain("access-new")
        #expect(try await source.text == "access-new")
    }

    @Test func `a later operation asks again whether the grant is at its end`() async throws {
        let fixture = try await TokensFixture()
        fixture.script(400, "reauthorization_required")
        let tokens = try fixture.tokens()
        #expect(await tokens.source(of: fixture.asset)?.fault == .reauthorizationRequired)
        #expect(await tokens.source(of: fixture.asset)?.fault == nil)
    }

    // MARK: keys and stores

    @Test func `credentials that no key opens need a person, and the log says why`() async throws {
        let fixture = try await TokensFixture(endingIn: 3600)
        let source = try #require(try fixture.tokens(keyRing: .ephemeral()).source(of: fixture.asset))
        #expect(await source.fault == .reauthorizationRequired)
        #expect(fixture.log.contains("error") && fixture.log.contains(fixture.asset.id.description))
        #expect(!fixture.log.contains("access-0") && !fixture.log.contains("refresh-0"))
    }

    @Test func `a store that is closed ends the asking, and no grant`() async throws {
        let fixture = try await TokensFixture(endingIn: 3600)
        let source = try #require(try fixture.tokens().source(of: fixture.asset))
        await fixture.store.close()
        #expect(await source.fault == .cancelled)
    }

    @Test func `assets that nobody reads any more are forgotten`() async throws {
        let fixture = try await TokensFixture()
        let tokens = try fixture.tokens()
        let kept = tokens.source(of: fixture.asset)
        for _ in 0..<1000 { _ = tokens.source(of: TokensFixture.asset(of: fixture.asset.tenant)) }
        #expect(tokens.count <= 64)
        #expect(tokens.source(of: fixture.asset) as AnyObject === kept as AnyObject)
    }
}
