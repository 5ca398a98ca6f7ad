import Assets
import Formats
import Foundation
import Secrets
import Testing

@Suite struct SealedCredentialsTests {
    private let keyRing = KeyRing.ephemeral()
    private let asset = AssetID(UUID())
    private let tenant: TenantID
    private let credentials = AssetCredentials(
        accessToken: AccessToken("acc3ss \"quoted\""), refreshToken: RefreshToken("r3fresh"),
        expiresAt: Timestamp(milliseconds: 1_790_000_000_123))

    init() throws { tenant = try #require(TenantID("acme")) }

    private func opened(
        _ sealed: Sealed<AssetCredentials>, _ asset: AssetID? = nil, _ tenant: TenantID? = nil
    ) throws(OpenError) -> AssetCredentials {
        try AssetCredentials(sealed, by: keyRing, of: asset ?? self.asset, tenant ?? self.tenant)
    }

    @Test func `sealed credentials open as they were`() throws {
        let opened = try opened(credentials.sealed(by: keyRing, of: asset, tenant))
        #expect(opened.accessToken.matches(credentials.accessToken))
        #expect(opened.refreshToken?.expose { $0 } == "r3fresh")
        #expect(opened.expiresAt == credentials.expiresAt)
    }

    @Test(arguments: [nil, 0, -1, Int64.max, Int64.min])
    func `a token of the user's own has no refresh token, and any end or none`(_ end: Int64?) throws {
        let own = AssetCredentials(
            accessToken: AccessToken("t"), refreshToken: nil, expiresAt: end.map(Timestamp.init(milliseconds:)))
        let opened = try opened(own.sealed(by: keyRing, of: asset, tenant))
        #expect(opened.refreshToken == nil)
        #expect(opened.expiresAt?.milliseconds == end)
    }

    @Test func `credentials of one asset do not open as another's`() throws {
        let sealed = credentials.sealed(by: keyRing, of: asset, tenant)
        #expect(throws: OpenError.notAuthentic) { try opened(sealed, AssetID(UUID())) }
    }

    @Test func `credentials of one tenant do not open as another's`() throws {
        let sealed = credentials.sealed(by: keyRing, of: asset, tenant)
        let other = try #require(TenantID("umbrella"))
        #expect(throws: OpenError.notAuthentic) { try opened(sealed, nil, other) }
    }

    @Test func `altered credentials do not open`() {
        var bytes = credentials.sealed(by: keyRing, of: asset, tenant).bytes
        bytes[bytes.count - 20] ^= 1
        #expect(throws: OpenError.notAuthentic) { try opened(Sealed(stored: bytes)) }
    }

    @Test func `under another master key they do not open`() {
        let sealed = credentials.sealed(by: .ephemeral(), of: asset, tenant)
        #expect(throws: OpenError.notAuthentic) { try opened(sealed) }
    }

    /// One key ring serves several programs: what one sealed must not pass for another's.
    @Test func `what was sealed for another use does not open`() {
        let context = Array("\(tenant)\u{0}\(asset)".utf8)
        let sealed: Sealed<AssetCredentials> = keyRing.seal(
            SecretBytes(Array(#"{"accessToken":"t"}"#.utf8)), as: Label("credentials"), context: context)
        #expect(throws: OpenError.notAuthentic) { try opened(sealed) }
    }

    @Test(arguments: ["", "[]", "{}", #"{"accessToken":1}"#])
    func `what is no credentials inside is malformed`(_ text: String) {
        let context = Array("\(tenant)\u{0}\(asset)".utf8)
        let sealed: Sealed<AssetCredentials> = keyRing.seal(
            SecretBytes(Array(text.utf8)), as: Label("asset-credentials"), context: context)
        #expect(throws: OpenError.malformed) { try opened(sealed) }
    }

    @Test func `the sealed bytes and the printed credentials hold no token`() {
        let sealed = credentials.sealed(by: keyRing, of: asset, tenant)
        let stored = String(decoding: sealed.bytes, as: UTF8.self)
        var dumped = ""
        dump(credentials, to: &dumped)
        for word in ["acc3ss", "r3fresh", "accessToken"] { #expect(!stored.contains(word)) }
        for word in ["acc3ss", "r3fresh"] { #expect(!"\(credentials) \(dumped)".contains(word)) }
    }
}
