package import CoreMetrics

/// Counts how the calls of a handler end: `succeeded`, one of the codes that say what happened at the provider, or
/// `refused` for all that is wrong with the call itself.
package struct OutcomeMetrics: Sendable {
    private let succeeded: Counter
    private let refused: Counter
    private let failures: [String: Counter]

    /// - Parameters:
    ///   - name: of the metric.
    ///   - codes: of problems that say what happened at the provider.
    package init(_ name: String, codes: [String], factory: any MetricsFactory) {
        let counter = { Counter(label: name, dimensions: [("outcome", $0)], factory: factory) }
        succeeded = counter("succeeded")
        refused = counter("refused")
        failures = Dictionary(uniqueKeysWithValues: (codes + ["internal_error"]).map { ($0, counter($0)) })
    }

    /// The handler, counted. Errors go on as they are; one that is no `Problem` counts as `internal_error`.
    package func around(_ handler: @escaping Handler) -> Handler {
        { request, context in
            do {
                let response = try await handler(request, context)
                succeeded.increment()
                return response
            } catch {
                let code = (error as? Problem)?.code ?? Problem.internalError.code
                (failures[code] ?? refused).increment()
                throw error
            }
        }
    }
}
