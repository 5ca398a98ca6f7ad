import Broker
import BrokerServer
import Catalog
import Daemon
import HTTPService
import StrictYAML

/// The requests that callers may make in a second, and the flows that may be outstanding.
extension ConfigurationReader {
    /// - Parameter brokersMeet: false where the store is a file, through which they do not hear of each other.
    func limits(_ http: HTTPSettings, brokersMeet: Bool) -> (Limits, FlowBounds) {
        let section = section("limits")
        var limits = Limits(
            authorizePerTenant: rate("authorizePerTenant", section),
            callbackPerAddress: rate("callbackPerAddress", section),
            redeemPerAddress: rate("redeemPerAddress", section),
            refreshPerTenant: rate("refreshPerTenant", section), revokePerTenant: rate("revokePerTenant", section))
        let bounds = FlowBounds(
            perTenant: section.integer("outstandingFlowsPerTenant", in: 0...100_000) ?? 0,
            inAll: section.integer("outstandingFlows", in: 0...1_000_000) ?? 0)
        limits.isShared = section.bool("shared") ?? false
        if limits.isShared, !brokersMeet {
            section.problem("shared", found: "true", wanted: "false, or a PostgreSQL database in storage.url")
        }
        section.finish()
        // The broker speaks no TLS itself: behind an https address, and on loopback, something stands before it.
        let isBehindProxy = http.publicURL?.isHTTPS == true || http.listener.address.isLoopback
        if limits.countsAddresses, http.listener.proxies.isEmpty, isBehindProxy {
            notes.remarks.append(
                "limits by address are set and http.trustedProxies is empty: behind a proxy all callers share one limit"
            )
        }
        return (limits, bounds)
    }

    /// Requests a second. Less than one in a thousand seconds is a slip, not a wish.
    private func rate(_ name: String, _ limits: YAMLReader) -> Double {
        guard let rate = limits.number(name, upTo: 1_000_000) else { return 0 }
        if rate > 0, rate < 0.001 {
            limits.problem(name, found: "\(rate)", wanted: "0 for no limit, or at least 0.001 requests a second")
        }
        return rate
    }
}
