import Broker
import Formats
import Hummingbird

extension PathNames {
    var tenant: TenantID {
        get throws {
            try Self.tenant(name)
        }
    }

    static func tenant(_ name: some StringProtocol) throws -> TenantID {
        guard let tenant = TenantID(name) else {
            throw Problem.invalidRequest("the tenant must match ^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
        }
        return tenant
    }
}

extension Callers {
    /// The path's tenant, once its caller is known to be of it and to hold one of `scopes`.
    func tenant(
        _ path: PathNames, of request: Request, _ context: Context, anyOf scopes: [Scope]
    ) async throws -> (TenantID, Requester) {
        let tenant = try path.tenant
        do {
            let caller = try await caller(request, of: tenant, anyOf: scopes)
            return (tenant, Requester(request, context, caller))
        } catch {
            throw error.problem
        }
    }

    /// Who calls, once they are known to be an operator.
    func operatorCalling(_ request: Request, _ context: Context) async throws -> Requester {
        do {
            return Requester(request, context, try await caller(request, of: nil, anyOf: [.brokerAdmin]))
        } catch {
            throw error.problem
        }
    }
}

extension Requester {
    init(_ request: Request, _ context: Context, _ caller: Caller? = nil) {
        self.init(
            subject: caller?.subject, tokenID: caller?.tokenID,
            remoteAddress: context.clientAddress(of: request)?.description, requestID: context.requestID)
    }
}
