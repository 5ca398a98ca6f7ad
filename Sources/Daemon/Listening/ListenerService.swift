import HTTPService
package import Hummingbird
package import HummingbirdCore
package import Logging
import ServiceLifecycle

/// One address at which a service is offered.
package struct ListenerService: ServiceLifecycle.Service {
    private let application: any ApplicationProtocol & ServiceLifecycle.Service
    private let address: ListenerAddress
    /// The section that sets the address.
    private let setting: String

    /// - Parameters:
    ///   - setting: the section of the address: `http`, or `admin` for the one that operators alone reach.
    ///   - onListening: called once connections are taken.
    package init<Responder: HTTPResponder>(
        _ responder: Responder, _ server: HTTPServerBuilder, at address: ListenerAddress, setting: String,
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

    /// Serves until the group that it belongs to stops.
    package func run() async throws {
        do {
            try await application.run()
        } catch {
            throw Refusal(
                "cannot listen at \(address): \(ListeningReason.words(error))",
                hint: "set \(setting).host and \(setting).port to an address of this machine that is free")
        }
    }
}
