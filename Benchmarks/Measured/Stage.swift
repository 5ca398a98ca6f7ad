/// The setting of a benchmark: the product's binaries, a folder, callers, the token endpoint, and how much to do.
struct Stage {
    /// The amount of work. The first is for a look, the last takes its keys from real flows alone.
    enum Extent { case quick, usual, full }

    let binary: String
    let assetBinary: String
    let folder: String
    let extent: Extent
    let callers: Callers
    let tokenEndpoint: OwnServer

    init(binary: String, assetBinary: String, folder: String, extent: Extent) async throws {
        self.binary = binary
        self.assetBinary = assetBinary
        self.folder = folder
        self.extent = extent
        callers = try Callers()
        tokenEndpoint = try OwnServer("token-endpoint", checkedAt: "/", in: folder)
    }

    /// `quick` or `usual`, as the extent says.
    func amount<Value>(_ usual: Value, quick: Value) -> Value { extent == .quick ? quick : usual }

    /// - Parameters:
    ///   - storage: `storage.url`; a file in its folder unless another is given.
    ///   - tokenPort: where the token endpoint is, in place of the one that answers at once.
    func installation(
        _ name: String, storage: String = Installation.file, tokenPort: UInt16? = nil
    ) throws -> Installation {
        try Installation(
            in: folder, name: name, tokenPort: tokenPort ?? tokenEndpoint.port, jwks: callers.jwks, storage: storage)
    }

    /// A broker with an empty database.
    func broker(_ name: String, storage: String = Installation.file) throws -> RunningService {
        try RunningService(binary, try installation(name, storage: storage))
    }

    /// A token for each connection: as many callers as connections.
    func flows(_ broker: RunningService, tokens: Int = 64) async throws -> Flows {
        Flows(ports: [broker.port], tokens: try callers.tokens(tokens))
    }

    // MARK: the asset service

    func drive() throws -> OwnServer { try OwnServer("drive", checkedAt: "/", in: folder) }

    /// An asset service with an empty database.
    func assetService(_ name: String, _ drive: OwnServer) throws -> RunningService {
        let installation = try Installation(
            ofAssetsIn: folder, name: name, drivePort: drive.port, jwks: callers.jwks)
        return try RunningService(assetBinary, installation)
    }

    func assetCalls(_ service: RunningService) throws -> AssetCalls {
        guard let token = try callers.tokens(1).first else { throw Trouble("no token") }
        return AssetCalls(port: service.port, token: token)
    }
}
