import Broker
import HTTPService

extension PathParameters {
    /// Of `/v1/admin/tenants/{tenant}/clients/{sourceType}`.
    var sourceType: Substring { self["sourceType"] ?? "" }
}

extension RedirectPath {
    /// The end of the address that a callback came to: `{name}`, `{name}/{handle}`, or nothing.
    init(received parameters: PathParameters) {
        let name = parameters["name"] ?? ""
        self.init(received: parameters["handle"].map { "\(name)/\($0)"[...] } ?? name)
    }
}
