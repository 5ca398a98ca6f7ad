import Broker
import HTTPService

extension OperationsRoutes {
    init(broker: Broker, metrics: BrokerMetrics) {
        self.init(registry: metrics.registry, description: PackageResources.openapi_json) { asker in
            do throws(StoreError) {
                try await broker.check()
            } catch {
                var problem = Problem.unavailable(error)
                if asker == .operators { problem.detail = "the store cannot write: \(error.reason)" }
                throw problem
            }
        }
    }
}
