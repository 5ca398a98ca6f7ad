import Broker
import BrokerServer
import Catalog
import CurlTransport
import Daemon
import Logging
import OTLPTracing
import PrometheusMetrics
import StoreParts

// The metrics of what only the broker's process knows: the store's writer, and those who wait for a turn.

extension Configuration {
    /// Metrics with a label for each source type, those at 0 from the start that could be used.
    func metrics(version: String) -> BrokerMetrics {
        BrokerMetrics(
            sourceTypes: catalog.entries.map(\.id),
            ready: catalog.sourceTypes(of: clients.keys).filter(isConfigured).map(\.id), version: version)
    }
}

extension BrokerMetrics {
    /// Counts what the store does; what it records goes to the log too, once it is committed.
    func observe(_ source: any ObservableStore, log: EventLog, logger: Logger) {
        source.observe { [store] event in
            switch event {
            case .committed(let operations, let duration): store.committed(operations, in: duration)
            case .failed: store.failed()
            case .refused: store.refused()
            // Told when it was answered: whoever comes for it waits for an operator.
            case .recorded(let event) where event.kind == .credentialKeyUnreadable: break
            case .recorded(let event): log.write(event)
            case .notRecorded(let event, let error) where event.kind == .credentialKeyUnreadable:
                log.write(Incident(notRecorded: event, error))
            case .notRecorded(let event, let error): log.write(event, notRecorded: error)
            case .notClosed(let reason):
                logger.error("the database was not closed as it should be", metadata: ["reason": .string(reason)])
            case .trailBroken(let sequence, let finding):
                store.trailIsBroken()
                log.write(Event(.auditBroken, at: .now, detail: "at event \(sequence): \(finding)"))
            }
        }
        registry.declare(
            Family("cloakroom_store_queue_depth", .gauge, help: "Operations that wait for their commit.")
        ) { [Sample(Double(source.waitingCount))] }
    }

    /// Counts who waits for a turn to go to a provider, and who waited in vain.
    func declare(calls: FairTransport, transport: CurlTransport) {
        registry.declare(
            Family(
                "cloakroom_transport_queue_depth", .gauge,
                help: "Requests that wait for their turn to go to a provider.")
        ) { [Sample(Double(calls.waitingCount + transport.waitingCount))] }
        registry.declare(
            Family(
                "cloakroom_provider_calls_refused_total", .counter,
                help:
                    "Requests of callers that waited for their turn in vain: their tenant or the provider has its share."
            )
        ) { [Sample(Double(calls.refusedCount))] }
    }
}
