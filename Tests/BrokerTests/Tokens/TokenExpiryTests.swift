import Formats
import Testing
import Transport

@testable import Broker
@testable import Catalog

@Suite struct TokenExpiryTests {
    @Test(
        arguments: [
            ("3600", 3600), (#""3600""#, 3600), (#"" 3600 ""#, 3600), ("3600.0", 3600), ("3.6e3", 3600), ("1", 1),
            ("3153600000", 3_153_600_000),
        ] as [(String, Int64)])
    func `a lifetime may be a number or a text`(_ written: String, _ seconds: Int64) throws {
        #expect(try expiry(#""expires_in":\#(written)"#) == TestTime.now.adding(seconds: seconds))
    }

    @Test(arguments: ["0.5", "\"0.5\""])
    func `a part of a second counts`(_ written: String) throws {
        #expect(try expiry(#""expires_in":\#(written)"#)?.milliseconds == TestTime.now.milliseconds + 500)
    }

    /// A negative or absurd lifetime is unknown, and never a reason to lose the tokens.
    @Test(arguments: [
        "0", "-1", "-3600", "3153600001", "1e18", "1e300", "9223372036854775807", "18446744073709551616",
        "\"1e400\"", "1e400", "-1e400", "\"inf\"", "\"nan\"", "\"-inf\"", "\"\"", "\"never\"", "\"1h\"", "null", "true",
        "[]", "[3600]",
        "{}",
    ])
    func `a negative or absurd lifetime is unknown`(_ written: String) throws {
        #expect(try expiry(#""expires_in":\#(written)"#) == nil)
    }

    @Test func `without a lifetime the expiry is unknown`() throws {
        #expect(try expiry(#""x":1"#) == nil)
    }

    @Test(
        arguments: [
            ("1790003600", 1_790_003_600_000), ("\"1790003600\"", 1_790_003_600_000),
            ("1790003600.25", 1_790_003_600_250), ("1790003600250", 1_790_003_600_250),
            ("\"2026-09-21T15:13:20Z\"", 1_790_003_600_000),
        ] as [(String, Int64)])
    func `an absolute expiry is in Unix seconds or milliseconds or ISO 8601`(_ written: String, _ milliseconds: Int64)
        throws
    {
        #expect(try expiry(#""expires_at":\#(written)"#, absolute: true)?.milliseconds == milliseconds)
    }

    @Test(arguments: ["1790000000", "1789999999", "0", "-1", "1790003600000000", "1e18", "\"inf\""])
    func `an absolute expiry in the past or beyond belief is unknown`(_ written: String) throws {
        #expect(try expiry(#""expires_at":\#(written)"#, absolute: true) == nil)
    }

    @Test func `an absolute expiry counts before a lifetime`() throws {
        let expiry = try expiry(#""expires_at":1790003600,"expires_in":60"#, absolute: true)
        #expect(expiry?.milliseconds == 1_790_003_600_000)
    }

    @Test func `without an absolute expiry the lifetime counts`() throws {
        #expect(try expiry(#""expires_in":60"#, absolute: true) == TestTime.now.adding(seconds: 60))
    }

    private func expiry(_ member: String, absolute: Bool = false) throws -> Timestamp? {
        var shape = OAuthProfile.ResponseShape()
        if absolute { shape.expiresAt = .member("expires_at") }
        let body = Array(#"{"access_token":"a",\#(member)}"#.utf8)
        return try TokenResponse(ProviderResponse(status: 200, body: body), shape: shape, now: TestTime.now).expiresAt
    }
}
