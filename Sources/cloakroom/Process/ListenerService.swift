import Broker
import BrokerServer
import HTTPService
import Hummingbird
import HummingbirdCore
import Logging
import ServiceLifecycle

/// One address at which the broker is served.
struct ListenerService: ServiceLifecycle.Service {
    private let application: any ApplicationProtocol & ServiceLifecycle.Service
    private let address: Configuration.Address
    /// The section that sets the address.
    private let setting: String

    /// - Parameter onListening: called once connections are taken.
    init<Responder: HTTPResponder>(
        _ responder: Responder, _ server: HTTPServerBuilder, at address: Configuration.Address, setting: String,
        logger: Logger, onListening: @escaping @Sendable () -> Void = {}
    ) where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
        self.address = address
        self.setting = setting
        let audience = setting == "admin" ? "operators" : "callers"
        // Hummingbird tells of each connection; ours tell of each request.
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        application = Application(
            responder: responder, server: server,
            configuration: .init(
                address: .hostname(address.host, port: address.port), serverName: nil,
                // As many as may arrive in the milliseconds in which all loops are busy; the kernel's somaxconn caps
                // it.
                backlog: 1024),
            onServerRunning: { _ in
                logger.notice("listening", metadata: ["address": "\(address)", "for": "\(audience)"])
                onListening()
            },
            logger: quiet)
    }

    func run() async throws {
        do {
            try await application.run()
        } catch {
            throw Refusal(
                "cannot listen at \(address): \(Reason(listening: error))",
                hint: "set \(setting).host and \(setting).port to an address of this machine that is free")
        }
    }
}
