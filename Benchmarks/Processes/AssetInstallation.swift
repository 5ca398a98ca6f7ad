extension Installation {
    /// A folder of the asset service.
    ///
    /// - Parameter drivePort: where the API of `google_drive` is, on loopback.
    init(ofAssetsIn parent: String, name: String, drivePort: UInt16, jwks: String) throws {
        try self.init(in: parent, name: name, jwks: jwks)
        try write("broker.token", "never-sent")
        try write(
            "cloakroom.yaml",
            """
            http: { host: 127.0.0.1, port: \(port) }
            auth: { issuer: "\(Callers.issuer)", audience: \(Callers.audience), jwksFile: jwks.json }
            storage: { url: "sqlite:cloakroom.db" }
            masterKeyFile: master.key
            broker: { url: "https://broker.example.com", tokenFile: broker.token }
            sources:
              allowInsecure: true
              allowPrivateAddresses: true
              addresses: { google_drive: "http://127.0.0.1:\(drivePort)" }
            log: { level: info, format: json }
            """)
    }

    /// Documents of one operation that are worked on at once (`workers.documents`), as it comes.
    static let documentsAtOnce = 4
}
