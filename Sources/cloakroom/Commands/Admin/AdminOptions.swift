import ArgumentParser
import Broker
import Catalog
import CurlTransport
import Daemon
import Formats
import Foundation

/// The broker whose admin API is called, and the token that it is called with. Options win over the environment.
struct AdminOptions: ParsableArguments {
    @Option(name: .long, help: "The broker's address; else CLOAKROOM_BROKER.")
    var broker: String?

    @Option(name: .long, help: "A file with a token of the scope broker:admin; else CLOAKROOM_TOKEN.")
    var tokenFile: String?

    @Option(name: .long, help: "A PEM file of the certificate authorities to trust in place of the system's.")
    var caFile: String?

    @Flag(name: .long, help: "Print JSON, for programs.")
    var json = false

    /// Calls `use` with the API, and lets its connections go afterwards.
    func call<Result>(_ use: (AdminAPI) async throws -> Result) async throws -> Result {
        let environment = ProcessInfo.processInfo.environment
        let address = try address(environment)
        var configuration = CurlTransport.Configuration()
        configuration.allowInsecure = address.mayBeInsecure
        // A broker is where its operators say, most often on a network of their own.
        configuration.allowPrivateAddresses = true
        configuration.caFile = caFile
        // A thousand items of a list, each with a `detail` of 2 KiB, are far below it.
        configuration.maxResponseBytes = 64 << 20
        // A revocation lasts as long as the slowest provider.
        configuration.timeout = .seconds(600)
        let transport = CurlTransport(configuration: configuration)
        defer { transport.shutdown() }
        return try await use(
            AdminAPI(base: address.url.text, token: try token(environment), transport: transport))
    }

    /// The same, for one question: on a terminal it shows that it waits.
    func ask<Result: Sendable>(_ question: (AdminAPI) async throws -> Result) async throws -> Result {
        try await call { api in try await Progress.showing("asking the broker") { try await question(api) } }
    }

    /// The broker's address, given or from the environment.
    func address(_ environment: [String: String]) throws(Refusal) -> (url: StrictURL, mayBeInsecure: Bool) {
        guard let text = broker ?? environment["CLOAKROOM_BROKER"] else {
            throw Refusal("no broker's address is given", hint: "give --broker URL, or set CLOAKROOM_BROKER")
        }
        guard let url = StrictURL(base: text) else {
            throw Refusal(
                "the broker's address is \(text.quoted), wanted an address such as https://broker.example.com"
            )
        }
        // RFC 6750 § 5.2: whoever reads the token on its way is an operator too.
        guard url.isHTTPS || url.isLoopback else {
            throw Refusal("the token must not be sent over http", hint: "give the broker's https address")
        }
        return (url, mayBeInsecure: url.isLoopback)
    }

    /// The caller's token (RFC 6750 § 2.1). Never an argument: those are seen by everyone on the machine.
    func token(_ environment: [String: String]) throws(Refusal) -> String {
        let text: String
        if let tokenFile {
            text = try Self.secret("token", in: tokenFile, of: "--token-file")
        } else if let given = environment["CLOAKROOM_TOKEN"] {
            text = given
        } else {
            throw Refusal(
                "no token is given",
                hint: "give --token-file F, or set CLOAKROOM_TOKEN, with a token of the scope broker:admin")
        }
        let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
        // It goes into a header: a line's end in it would begin another.
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Refusal("the token is not one line of visible ASCII")
        }
        return token
    }

    /// A file with one line of something secret, which is never an argument. Warns where others can read it.
    ///
    /// - Parameter option: the one that names the file.
    static func secret(_ words: String, in file: String, of option: String) throws(Refusal) -> String {
        let line = try UnreadableFile.refused("the \(words) file \(file.quoted)") { () throws(UnreadableFile) in
            try ReadFile(file).line()
        }
        if let fault = SecretFile(setting: option, path: file).fault { Terminal.write("warning: \(fault)") }
        return line
    }
}
