import Foundation

/// A folder as an operator would lay it out: configuration, keys, and the database to come.
struct Installation {
    static let sourceType = "bench_drive"

    let folder: String
    let port: UInt16

    /// A database of its own.
    static let file = "sqlite:cloakroom.db"

    var configuration: String { folder + "/cloakroom.yaml" }
    var database: String { folder + "/cloakroom.db" }
    var log: String { folder + "/cloakroom.log" }

    /// What every service needs. The rest is its own.
    init(in parent: String, name: String, jwks: String) throws {
        folder = parent + "/" + name
        port = try Sockets.freePort()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        try write("jwks.json", jwks)
        let key = Data((0..<32).map { _ in UInt8.random(in: 0...255) })
        try write("master.key", "bench:\(key.base64EncodedString())\n")
    }

    /// A folder of the broker.
    ///
    /// - Parameters:
    ///   - tokenPort: where the source type's token endpoint is, on loopback.
    ///   - storage: `storage.url`.
    init(in parent: String, name: String, tokenPort: UInt16, jwks: String, storage: String) throws {
        try self.init(in: parent, name: name, jwks: jwks)
        try write(
            "catalog.yaml",
            """
            sourceTypes:
              \(Self.sourceType):
                displayName: Bench Drive
                category: drive
                oauth:
                  authorizationURL: "http://127.0.0.1:\(tokenPort)/authorize"
                  tokenURL: "http://127.0.0.1:\(tokenPort)/token"
                  scopes: ["files.read", "files.write"]
            """)
        // The lifetimes are long because seeding takes longer than people do; all else is as it comes.
        try write(
            "cloakroom.yaml",
            """
            http: { host: 127.0.0.1, port: \(port), publicURL: "http://127.0.0.1:\(port)" }
            frontend: { origins: ["https://app.example.com"] }
            auth: { issuer: "\(Callers.issuer)", audience: \(Callers.audience), jwksFile: jwks.json }
            storage: { url: "\(storage)" }
            masterKeyFile: master.key
            lifetimes: { state: 86400, credentialKey: 86400 }
            provider: { allowInsecure: true, allowPrivateAddresses: true }
            catalogFiles: [catalog.yaml]
            clients:
              \(Self.sourceType): { clientId: "bench-client", clientSecret: "bench-secret" }
            log: { level: info, format: json }
            """)
    }

    func write(_ name: String, _ text: String) throws {
        let path = folder + "/" + name
        guard
            FileManager.default.createFile(
                atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
        else { throw Trouble("cannot write \(path)") }
    }
}
