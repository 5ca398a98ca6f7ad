import Daemon
import Testing

@testable import cloakroom

/// The broker that is called, and the token that it is called with.
@Suite struct AdminOptionsTests {
    private static func options(_ arguments: [String] = []) throws -> AdminOptions {
        try #require(Cloakroom.parseAsRoot(["audit", "list"] + arguments) as? AuditCommand.List).admin
    }

    @Test(arguments: [
        ("https://b.example/", "https://b.example", false), ("https://b.example/base", "https://b.example/base", false),
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081", true),
        ("http://localhost:8081/", "http://localhost:8081", true),
        ("http://[::1]:8081", "http://[::1]:8081", true), ("https://127.0.0.1", "https://127.0.0.1", true),
    ])
    func `a broker's address is taken`(_ text: String, _ url: String, _ mayBeInsecure: Bool) throws {
        let address = try Self.options(["--broker", text]).address([:])
        #expect(address.url.text == url && address.mayBeInsecure == mayBeInsecure)
    }

    @Test(arguments: [
        ("b.example", "b.example"), ("https://b.example?x", "https://b.example?x"), ("", "\"\""),
        // RFC 6750 § 5.2: whoever reads the token on its way is an operator too.
        ("http://b.example", "must not be sent"), ("http://127.evil.example", "must not be sent"),
        ("http://localhost.evil.example", "must not be sent"),
    ])
    func `an address that is none, or that shows the token to others, is refused`(_ text: String, _ words: String)
        throws
    {
        let options = try Self.options(["--broker", text])
        let refusal = #expect(throws: Refusal.self) { try options.address([:]) }
        #expect(refusal?.lines.first?.contains(words) == true)
    }

    @Test func `an option wins over the environment`() throws {
        let environment = ["CLOAKROOM_BROKER": "https://env.example", "CLOAKROOM_TOKEN": "env"]
        #expect(try Self.options().address(environment).url.text == "https://env.example")
        #expect(
            try Self.options(["--broker", "https://b.example"]).address(environment).url.text == "https://b.example")
        #expect(try Self.options().token(environment) == "env")
        let installation = try Installation()
        try installation.write("token", "file\n")
        #expect(try Self.options(["--token-file", installation.path("token")]).token(environment) == "file")
    }

    @Test func `what is missing is told with where to give it`() throws {
        let options = try Self.options()
        let broker = #expect(throws: Refusal.self) { try options.address([:]) }
        #expect(broker?.lines.last?.contains("--broker") == true)
        let token = #expect(throws: Refusal.self) { try options.token([:]) }
        #expect(token?.lines.last?.contains("--token-file") == true)
        let file = try Self.options(["--token-file", "/nowhere"])
        let unread = #expect(throws: Refusal.self) { try file.token([:]) }
        #expect(unread?.lines.first?.contains("/nowhere") == true)
    }

    /// It goes into a header: a line's end in it would begin another.
    @Test(arguments: ["", " \n", "two words", "two\nlines", "t\u{E4}st", "a\u{0}b", "a\u{7F}"])
    func `a token that is not one line of visible ASCII is refused, and not shown`(_ token: String) throws {
        let options = try Self.options()
        let refusal = #expect(throws: Refusal.self) { try options.token(["CLOAKROOM_TOKEN": token]) }
        #expect(refusal?.lines.count == 1)
        if !token.isEmpty { #expect(refusal?.lines.first?.contains(token) == false) }
    }
}
