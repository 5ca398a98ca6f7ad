import Daemon
import Foundation
import Secrets

@testable import cloakroom_assets

/// The files of an installation in a folder of the test's own, removed with it.
final class Installation: Sendable {
    let folder: String

    /// Without default: what every configuration has to say.
    static let minimal = [
        "auth": "{ issuer: \"https://issuer.example.com\", audience: cloakroom, jwksFile: jwks.json }",
        "masterKeyFile": "master.key",
        "broker": broker(),
    ]

    init() throws {
        folder = NSTemporaryDirectory() + "cloakroom-assets-tests-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try write("master.key", "first:\(Data(repeating: 1, count: 32).base64EncodedString())\n")
        try write("jwks.json", "{\"keys\": [{\(Self.publicMembers)}]}")
        try write("service.pem", Self.privateKey)
        try write("service.jwk", "{\(Self.publicMembers), \(Self.privateMember), \"kid\": \"own\"}")
        try write("token", "header.payload.signature\n")
        try write("openai.key", "sk-0123\n")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func path(_ name: String) -> String { folder + "/" + name }

    func write(_ name: String, _ text: String, mode: Int = 0o600) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path(name))
    }

    /// The `broker` section with other settings in it; one that is `nil` is left out.
    static func broker(_ changes: [String: String?] = [:]) -> String {
        var settings: [String: String] = [
            "url": "\"https://broker.example.com\"", "signingKeyFile": "service.pem", "issuer": "i", "audience": "a",
        ]
        for (name, text) in changes { settings[name] = text }
        return "{ " + settings.sorted { $0.key < $1.key }.map { "\($0): \($1)" }.joined(separator: ", ") + " }"
    }

    /// Reads the minimal configuration with other sections in it; one that is `nil` is left out.
    func configuration(
        _ changes: [String: String?] = [:], environment: [String: String] = [:]
    ) throws -> Configuration {
        var sections = Self.minimal
        for (name, text) in changes { sections[name] = text }
        let text = sections.sorted { $0.key < $1.key }.map { "\($0): \($1)\n" }.joined()
        try write("assets.yaml", text)
        return try ConfigurationReader.configuration(file: path("assets.yaml"), environment: environment)
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

    /// RFC 7515 § A.3.1.
    private static let publicMembers = """
        "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", \
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
        """
    private static let privateMember = #""d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI""#

    /// The same, as PKCS #8.
    private static let privateKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff
        H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp
        7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt
        -----END PRIVATE KEY-----
        """
}
