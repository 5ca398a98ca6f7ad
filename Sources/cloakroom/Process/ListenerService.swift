import Hummingbird
import HummingbirdCore
import Logging
import ServiceLifecycle

/// One address at which the broker is served.
struct ListenerService: ServiceLifecycle.Service {
    private let application: any ApplicationProtocol & ServiceLifecycle.Service
    private let address: String
    /// The section that sets the address.
    private let setting: String

    /// - Parameter onListening: called once connections are taken.
    init<Responder: HTTPResponder>(
        _ responder: Responder, _ server: HTTPServerBuilder, at address: Configuration.Address, setting: String,
        logger: Logger, onListening: @escaping @Sendable () -> Void = {}
    ) where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
        let text = address.host.contains(":") ? "[\(address.host)]:\(address.port)" : "\(address.host):\(address.port)"
        self.address = text
        self.setting = setting
        let audience = setting == "admin" ? "operators" : "callers"
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        application = Application(
            responder: responder, server: server,
            configuration: .init(
                address: .hostname(address.host, port: address.port), serverName: nil, backlog: 1024),
            onServerRunning: { _ in
                logger.notice("listening", metadata: ["address": "\(text)", "for": "\(audience)"])
                onListening()
            },
            logger: quiet)
    }

    func run() async throws {
        do {
            try await application.run()
        } catch {
            throw Refusal(
                "cannot listen at \(address): \(error)",
                hint: "set \(setting).host and \(setting).port to an address of this machine that is free")
        }
    }
}
