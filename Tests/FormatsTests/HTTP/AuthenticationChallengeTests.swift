import Testing

@testable import Formats

/// RFC 9110 § 11.6.1, RFC 9728 § 5.1.
@Suite struct AuthenticationChallengeTests {
    private func read(_ values: String...) -> [AuthenticationChallenge] { AuthenticationChallenge.read(values) }

    /// RFC 9728 § 5.1.
    @Test func `the published challenge is read`() {
        let challenges = read(
            #"Bearer resource_metadata="https://resource.example.com/.well-known/oauth-protected-resource""#)
        #expect(challenges.map(\.scheme) == ["bearer"])
        #expect(
            challenges.first?.parameters == [
                "resource_metadata": "https://resource.example.com/.well-known/oauth-protected-resource"
            ])
    }

    /// RFC 9110 § 11.6.1.
    @Test func `several challenges stand in one header, or in several`() {
        let one = #"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#
        #expect(read(one).map(\.scheme) == ["basic", "newauth"])
        #expect(read(one)[1].parameters == ["realm": "apps", "type": "1", "title": #"Login to "apps""#])
        #expect(read("Basic realm=\"a\"", "Bearer scope=\"x y\"").map(\.scheme) == ["basic", "bearer"])
    }

    @Test(arguments: [
        ("Bearer", ["bearer"]), ("bearer , , Basic", ["bearer", "basic"]), ("", []), (",,,", []), ("=x", ["x"]),
        (#"realm="x""#, []), ("\"Bearer", ["bearer"]), ("DPoP algs=\"ES256\"", ["dpop"]),
    ])
    func `odd headers are read as far as they go`(_ value: String, _ schemes: [String]) {
        #expect(read(value).map(\.scheme) == schemes)
    }

    @Test func `of two parameters of a name the first counts, whatever its case`() {
        #expect(read(#"Bearer Scope="a", scope="b""#)[0].parameters == ["scope": "a"])
    }

    @Test func `an address without quotation marks is read, and white space around the equals sign`() {
        #expect(
            read("Bearer resource_metadata = https://a.example/x?y=1, scope=z")[0].parameters
                == ["resource_metadata": "https://a.example/x?y=1", "scope": "z"])
    }

    @Test func `a value that never ends goes to the end`() {
        #expect(read(#"Bearer scope="a b"#)[0].parameters == ["scope": "a b"])
        #expect(read(#"Bearer scope="a\"#)[0].parameters == ["scope": #"a\"#])
    }

    @Test func `a header of more than 8 KiB is none`() {
        #expect(read("Bearer scope=\"\(String(repeating: "a", count: 8192))\"").isEmpty)
    }
}
