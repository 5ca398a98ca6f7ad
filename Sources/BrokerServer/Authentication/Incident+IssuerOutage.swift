package import Broker
package import HTTPService

extension Incident {
    /// An outage of the issuer of callers' tokens, in the broker's words.
    package init(_ outage: IssuerOutage) {
        switch outage {
        case .staleKeys(let fault): self.init(.staleCallersKeys, "auth.jwksURL: \(fault.reason)")
        case .keysMissing(let fault): self.init(.callersKeysMissing, "auth.jwksURL: \(fault.reason)")
        }
    }
}
