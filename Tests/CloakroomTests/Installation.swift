import Daemon
import Foundation

@testable import cloakroom

/// The files of an installation in a folder of the test's own, removed with it.
final class Installation: Sendable {
    let folder: String

    /// Without default: what every configuration has to say, and a catalog with one entry of each kind.
    static let minimal = [
        "http": "{ publicURL: \"https://broker.example.com\" }",
        "auth": "{ issuer: \"https://issuer.example.com\", audience: cloakroom, jwksFile: jwks.json }",
        "masterKeyFile": "master.key",
        "catalogFiles": "[types.yaml]",
    ]

    init() throws {
        folder = NSTemporaryDirectory() + "cloakroom-tests-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try write("master.key", "first:\(Self.key(1))\n")
        try write("jwks.json", Self.keySet)
        try write("types.yaml", Self.catalog)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static func key(_ byte: UInt8) -> String { Data(repeating: byte, count: 32).base64EncodedString() }

    func path(_ name: String) -> String { folder + "/" + name }

    func write(_ name: String, _ text: String, mode: Int = 0o600) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path(name))
    }

    func read(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }

    /// Reads the minimal configuration with other sections in it; one that is `nil` is left out.
    func configuration(
        _ changes: [String: String?] = [:], environment: [String: String] = [:]
    ) throws -> Configuration {
        var sections = Self.minimal
        for (name, text) in changes { sections[name] = text }
        let text = sections.sorted { $0.key < $1.key }.map { "\($0): \($1)\n" }.joined()
        try write("cloakroom.yaml", text)
        return try ConfigurationReader.configuration(file: path("cloakroom.yaml"), environment: environment)
    }

    /// The lines by which a configuration is refused, without the folder; none where it is taken.
    func findings(_ changes: [String: String?] = [:], environment: [String: String] = [:]) throws -> [String] {
        do {
            _ = try configuration(changes, environment: environment)
            return []
        } catch let refusal as Refusal {
            return refusal.lines.map { $0.replacing(folder + "/", with: "") }
        }
    }

    /// RFC 7515 § A.3.1, the public half.
    private static let keySet = """
        {"keys": [{"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                   "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}
        """

    private static let catalog = """
        sourceTypes:
          wiki: { displayName: Wiki, category: wiki, provider: wikis, oauth: { authorizationURL: "https://wiki.example.com/authorize", tokenURL: "https://wiki.example.com/token", scopes: [read] } }
          wiki_public: { displayName: Wiki, category: wiki, oauth: { authorizationURL: "https://wiki.example.com/authorize", tokenURL: "https://wiki.example.com/token", clientAuthentication: none } }
          wiki_key: { displayName: Wiki, category: wiki, oauth: { authorizationURL: "https://wiki.example.com/authorize", tokenURL: "https://wiki.example.com/token", clientAuthentication: private_key_jwt } }
          wiki_tls: { displayName: Wiki, category: wiki, oauth: { authorizationURL: "https://wiki.example.com/authorize", tokenURL: "https://wiki.example.com/token", clientAuthentication: tls } }
          wiki_site: { displayName: Wiki, category: wiki, oauth: { authorizationURL: "https://{site}.wiki.example.com/authorize", tokenURL: "https://{site}.wiki.example.com/token", clientPerInstance: true, parameters: { site: { pattern: "^[a-z]{1,9}$", description: "The site" } } } }
        """

    /// RFC 7515 § A.3.1, as PKCS #8.
    static let privateKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff
        H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp
        7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt
        -----END PRIVATE KEY-----
        """
}
