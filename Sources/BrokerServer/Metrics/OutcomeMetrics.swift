import CoreMetrics

/// Counts how the calls of a handler end: `succeeded`, one of the codes that say what happened at the provider, or
/// `refused` for all that is wrong with the call itself.
struct Outcomes: Sendable {
    private let succeeded: Counter
    private let refused: Counter
    private let failures: [String: Counter]

    init(_ name: String, _ codes: [String], _ factory: any MetricsFactory) {
        let counter = { Counter(label: name, dimensions: [("outcome", $0)], factory: factory) }
        succeeded = counter("succeeded")
        refused = counter("refused")
        failures = Dictionary(uniqueKeysWithValues: (codes + ["internal_error"]).map { ($0, counter($0)) })
    }

    func around(_ handler: @escaping Handler) -> Handler {
        { request, context, path in
            do {
                let response = try await handler(request, context, path)
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
