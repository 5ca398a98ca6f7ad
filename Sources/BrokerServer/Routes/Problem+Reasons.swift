import Broker
import Catalog
import Formats
import HTTPService
import HTTPTypes

extension Problem {
    static func unavailable(_ reason: Reason) -> Problem {
        Problem(
            status: .serviceUnavailable, code: "unavailable",
            detail: "the broker cannot keep or read data now; try again in a moment", headers: [.retryAfter: "5"],
            reason: reason.description)
    }

    /// - Parameter unspent: the credential key that was presented is good where the store says that nothing was written.
    static func unavailable(_ error: StoreError, unspent: Bool = false) -> Problem {
        var problem = Problem.unavailable(error.reason)
        switch error {
        case .unavailable, .closed:
            if unspent {
                problem.detail = "the broker cannot keep or read data now; the key is not spent; try again in a moment"
            }
        case .uncertain:
            problem.detail = """
                the database did not say whether this was kept, so nothing is given; try again, and if a credential key is \
                refused then, it is spent: connect again
                """
        }
        return problem
    }

    /// The same, with its reason for operators; `nil`: with none to log.
    func because(_ reason: Reason?) -> Problem {
        var problem = self
        problem.reason = reason?.description
        return problem
    }

    /// The same, of what was asked for a source type as a caller named it.
    func asked(for sourceType: String, by tenant: TenantID) -> Problem {
        var problem = self
        problem.tenant = tenant.description
        problem.sourceType = SourceType.ID(sourceType)?.description
        return problem
    }
}
