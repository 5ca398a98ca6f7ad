import Broker
import Testing

/// RFC 9207 § 2.4: the issuer is compared as a plain string, before anything else is believed.
@Suite struct IssuerTests {
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    @Test(arguments: ["lenient", "strict"])
    func `the right issuer is taken`(_ sourceType: String) async throws {
        #expect(try await error(sourceType, "code=good&iss=https%3A%2F%2Fprovider.example") == nil)
    }

    @Test(arguments: [
        "https://evil.example", "https://provider.example/", "https://PROVIDER.example", "http://provider.example",
        "https://provider.example%00", "https://provider.example:443", "provider.example",
        "https://provider.example&iss=https://provider.example",
        "https://evil.example&iss=https://provider.example", "%20https://provider.example",
    ])
    func `another issuer is refused and no code is sent`(_ issuer: String) async throws {
        for sourceType in ["lenient", "strict"] {
            #expect(try await error(sourceType, "code=good&iss=\(issuer)") == .issuerMismatch)
        }
        #expect(await installation.provider.requests.isEmpty)
    }

    @Test func `without an issuer only a source type that requires it is refused`() async throws {
        #expect(try await error("lenient", "code=good") == nil)
        #expect(try await error("strict", "code=good") == .issuerMismatch)
        #expect(try await error("strict", "code=good&iss=") == .issuerMismatch)
    }

    /// An issuer that no entry expects is in the trail, so that a reader of the trail can add it to the catalog.
    @Test func `an issuer that nobody expects is noted in the trail, printable and cut short`() async throws {
        #expect(try await error("example", "code=good&iss=https://other.example/%0A%1B") == nil)
        let tenant = "https://login.example/9188040d-6c67-4c5b-b112-36a304b66dad/"
        let long = tenant + String(repeating: "a", count: 5000)
        #expect(try await error("example", "error=access_denied&iss=\(long)") != nil)
        let details = try await installation.broker.events(EventFilter(), limit: 10).events.compactMap(\.event.detail)
        #expect(details.last == #"iss "https://other.example/\u{A}\u{1B}" was not expected"#)
        let remark = "iss \"\(long.prefix(200))…\" was not expected"
        #expect(details.first == "the provider redirected with the error \"access_denied\"; \(remark)")
        #expect(details.count == 2)
        #expect(installation.events.all.compactMap(\.detail).count == 2)
    }

    @Test func `an issuer that comes twice is refused, whether or not one is expected`() async throws {
        let query = "code=good&iss=https://a.example&iss=https://a.example"
        #expect(try await error("example", query) == .issuerMismatch)
        #expect(await installation.provider.requests.isEmpty)
    }

    @Test func `an issuer that is expected is not noted`() async throws {
        #expect(try await error("lenient", "code=good&iss=https://provider.example") == nil)
        #expect(installation.events.all.compactMap(\.detail).isEmpty)
    }

    @Test func `an error from another issuer is not believed`() async throws {
        #expect(try await error("lenient", "error=access_denied&iss=https://evil.example") == .issuerMismatch)
        let denied = CallbackError.denied(error: "access_denied", description: nil)
        #expect(try await error("lenient", "error=access_denied&iss=https://provider.example") == denied)
    }

    @Test func `a wrong issuer spends the state`() async throws {
        let begun = try await installation.begin("lenient")
        #expect(
            await installation.callback("code=good&iss=https://evil.example&state=\(begun.state)").error
                == .issuerMismatch)
        #expect(
            await installation.callback("code=good&iss=https://provider.example&state=\(begun.state)").error
                == .invalidState)
    }

    private func error(_ sourceType: String, _ query: String) async throws -> CallbackError? {
        let begun = try await installation.begin(sourceType)
        return await installation.callback("\(query)&state=\(begun.state)").error
    }
}
