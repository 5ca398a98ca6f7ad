import Assets
import Formats
import Transport

/// Sends requests to sources, and again where that may help. Knows no credentials and follows no redirect.
struct SourceClient: Sendable {
    let transport: any HTTPTransport
    let retry: RetryPolicy
    let waiting: Waiting
    /// `nil` where the source's own limits say how many at once.
    let gate: HostGate?

    /// The source's answer, whatever its status: that of the last try. Throws where none came.
    func send(_ request: TransportRequest) async throws(SourceFault) -> TransportResponse {
        var tries = 1
        while true {
            let outcome = try await attempt(request)
            let wait = retry.wait(after: outcome, try: tries, at: waiting.now(), random: waiting.random())
            guard let wait else {
                switch outcome {
                case .success(let response): return response
                case .failure(let error): throw SourceFault(error, at: Self.host(of: request))
                }
            }
            do { try await waiting.pause(wait) } catch { throw .cancelled }
            tries += 1
        }
    }

    /// A place at the host is held while the request is under way, and not while it waits to be sent again.
    private func attempt(
        _ request: TransportRequest
    ) async throws(SourceFault) -> Result<TransportResponse, TransportError> {
        guard let gate else { return await answer(to: request) }
        return try await gate.pass(to: StrictURL(request.url)?.origin.description ?? "") {
            () async throws(SourceFault) in await answer(to: request)
        }
    }

    private func answer(to request: TransportRequest) async -> Result<TransportResponse, TransportError> {
        do throws(TransportError) {
            return .success(try await transport.send(request))
        } catch {
            return .failure(error)
        }
    }

    private static func host(of request: TransportRequest) -> String { StrictURL(request.url)?.host ?? "the source" }
}
