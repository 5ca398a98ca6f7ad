import Assets
import Formats
import Secrets
import Testing
import Transport

@testable import AssetReaders

/// Plays an embedder: answers as a test says, in order, and then as one that works.
final class ScriptedEmbedder: HTTPTransport {
    typealias Answer = Result<TransportResponse, TransportError>

    private struct State: Sendable {
        var answers: [Answer]
        var requests: [TransportRequest] = []
        var pauses: [Duration] = []
    }

    static let dimensions = 3

    private let state: Locked<State>

    init(_ answers: [Answer] = []) { state = Locked(State(answers: answers)) }

    var requests: [TransportRequest] { state.withLock { $0.requests } }
    /// The waits between tries.
    var pauses: [Duration] { state.withLock { $0.pauses } }

    /// The texts of each request.
    var inputs: [[String]] {
        get throws { try requests.map { try Self.input(of: $0) } }
    }

    func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
        let answer = state.withLock { state in
            state.requests.append(request)
            return state.answers.isEmpty ? nil : state.answers.removeFirst()
        }
        if let answer { return try answer.get() }
        guard let input = try? Self.input(of: request) else { throw .malformedResponse }
        return Self.working(input)
    }

    private static func input(of request: TransportRequest) throws -> [String] {
        guard case .array(let input)? = try StrictJSON.object(request.body ?? [])["input"] else { return [] }
        return input.compactMap(\.string)
    }

    /// Each vector tells its text's length, and the last text comes first.
    private static func working(_ input: [String]) -> TransportResponse {
        let data = input.enumerated().reversed().map { index, text in
            #"{"object":"embedding","index":\#(index),"embedding":[\#(text.utf8.count),0.5,-1e-3]}"#
        }
        return .json(
            #"{"object":"list","data":[\#(data.joined(separator: ","))],"usage":{"total_tokens":\#(input.count * 10)}}"#
        )
    }

    /// - Parameter cancelling: each wait is cut off.
    func embedder(attempts: Int = 3, key: String? = "k3y", cancelling: Bool = false) throws -> OpenAIEmbedder {
        OpenAIEmbedder(
            EmbeddingModel(
                name: .init(provider: "openai", model: "m-1"), dimensions: Self.dimensions, description: "",
                pricePerMillionTokens: 1),
            at: try #require(StrictURL("https://api.example.com/v1/embeddings")), key: key.map { APIKey($0) },
            transport: self, retry: RetryPolicy(attempts: attempts, base: .seconds(1), longest: .seconds(60)),
            waiting: Waiting(
                now: { Timestamp(milliseconds: 1_790_000_000_000) }, random: { 0 },
                pause: { duration throws(CancellationError) in
                    if cancelling { throw CancellationError() }
                    self.state.withLock { $0.pauses.append(duration) }
                }))
    }
}

extension TransportResponse {
    static func json(_ text: String, status: Int = 200) -> TransportResponse {
        TransportResponse(
            status: status, headers: [("content-type", "application/json")], body: Array(text.utf8))
    }
}
