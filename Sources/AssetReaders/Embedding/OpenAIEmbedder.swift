public import Assets
public import Formats
public import Secrets
public import Transport

/// Turns text into vectors at an address that speaks OpenAI's `/v1/embeddings`.
///
/// https://platform.openai.com/docs/api-reference/embeddings/create
public struct OpenAIEmbedder: Embedder {
    /// The longest answer that there is reason to expect, for the transport's cap: 64 vectors of 8192 numbers, each
    /// written out with all its digits.
    public static let longestAnswer = 16 << 20

    private let request: EmbeddingRequest
    private let dimensions: Int
    private let transport: any HTTPTransport
    private let retry: RetryPolicy
    private let waiting: Waiting

    public var mostTexts: Int { EmbeddingRequest.mostTexts }

    /// - Parameters:
    ///   - key: `nil`: the embedder asks for none.
    ///   - transport: follows no redirect: the key and the texts go to this address alone.
    ///   - retry: `sources.retry`.
    public init(
        _ model: EmbeddingModel, at url: StrictURL, key: APIKey?, transport: any HTTPTransport, retry: RetryPolicy,
        waiting: Waiting = .system
    ) {
        request = EmbeddingRequest(url: url, model: model.name.model, key: key)
        dimensions = model.dimensions
        self.transport = transport
        self.retry = retry
        self.waiting = waiting
    }

    public func embed(_ texts: [String]) async throws(EmbedderFault) -> Embeddings {
        var all = Embeddings(vectors: [], tokenCount: 0)
        all.vectors.reserveCapacity(texts.count)
        for call in EmbeddingRequest.calls(for: texts) {
            let part = try await answer(to: call)
            all.vectors += part.vectors
            // What one answer leaves out, the sum does not know.
            all.tokenCount = all.tokenCount.flatMap { sum in part.tokenCount.map { sum + $0 } }
        }
        return all
    }

    private func answer(to texts: ArraySlice<String>) async throws(EmbedderFault) -> Embeddings {
        let body = try await send(request.http(texts)).body
        let (count, dimensions) = (texts.count, dimensions)
        // A hundred thousand numbers take a while to read.
        let read = await blocking { () -> Result<Embeddings, EmbeddingAnswer.Fault> in
            do throws(EmbeddingAnswer.Fault) {
                return .success(try EmbeddingAnswer.read(body, count: count, dimensions: dimensions))
            } catch {
                return .failure(error)
            }
        }
        do { return try read.get() } catch { throw EmbedderFault(error) }
    }

    /// A 200, after as many tries as the policy has.
    private func send(_ request: TransportRequest) async throws(EmbedderFault) -> TransportResponse {
        var number = 1
        while true {
            let outcome = await outcome(of: request)
            if case .success(let response) = outcome, response.status == 200 { return response }
            guard let wait = wait(after: outcome, try: number) else { throw EmbedderFault(outcome) }
            do { try await waiting.pause(wait) } catch { throw .cancelled }
            number += 1
        }
    }

    private func outcome(of request: TransportRequest) async -> Result<TransportResponse, TransportError> {
        do { return .success(try await transport.send(request)) } catch { return .failure(error) }
    }

    /// `nil` where there is no further try.
    private func wait(after outcome: Result<TransportResponse, TransportError>, try number: Int) -> Duration? {
        switch outcome {
        case .success(let response):
            // Whoever stands in front of an embedder has more 5xx than those of RFC 9110.
            guard response.status == 429 || (500..<600).contains(response.status) else { return nil }
            return retry.wait(
                after: number, asked: response.askedWait(at: waiting.now()), random: waiting.random())
        case .failure(let error):
            // One that took too long may have had too much to do.
            guard error.isPassing || error == .timedOut else { return nil }
            return retry.wait(after: number, asked: nil, random: waiting.random())
        }
    }
}
