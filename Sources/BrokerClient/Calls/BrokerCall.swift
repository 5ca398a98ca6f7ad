import Formats
import Secrets
import Transport

/// One call of the broker's tenant API.
struct BrokerCall {
    let method: RequestMethod
    let action: String
    let body: RequestBody?

    static func get(_ action: String) -> BrokerCall { BrokerCall(method: .get, action: action, body: nil) }

    static func post(_ action: String, _ body: RequestBody) -> BrokerCall {
        BrokerCall(method: .post, action: action, body: body)
    }

    /// A tenant's id needs no encoding in a path (`TenantID.pattern`).
    func request(at base: String, for tenant: TenantID, as token: Secret<Use.BearerToken>?) -> TransportRequest {
        var headers = [(name: "accept", value: "application/json")]
        if let token { headers.append(("authorization", token.expose { "Bearer \($0)" })) }
        if body != nil { headers.append(("content-type", "application/json")) }
        return TransportRequest(
            method: method, url: "\(base)/v1/tenants/\(tenant)/\(action)", headers: headers, body: body?.exposedJSON)
    }
}

extension BrokerClient {
    /// Sends a call once, and gives whatever answer comes.
    ///
    /// - Parameter scope: the one that the call needs; `nil`: it is anonymous.
    func send(
        _ call: BrokerCall, for tenant: TenantID, as scope: BrokerScope?
    ) async throws(BrokerError) -> BrokerAnswer {
        var token: Secret<Use.BearerToken>?
        if let scope { token = try await authorization.token(for: tenant, scope: scope, at: now()) }
        do {
            let response = try await transport.send(call.request(at: base, for: tenant, as: token))
            return BrokerAnswer(response, now: now())
        } catch {
            throw BrokerError(error)
        }
    }
}
