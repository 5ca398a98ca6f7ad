import Assets
import Transport

// The words for what an embedder does. None of its own are repeated: they may hold the text that it was sent.

extension EmbedderFault {
    /// The fault that the last outcome is, other than a 200.
    init(_ outcome: Result<TransportResponse, TransportError>) {
        switch outcome {
        case .failure(.cancelled): self = .cancelled
        case .failure(let error): self = .unusable(Self.words(error))
        case .success(let response) where response.status == 400: self = .textRefused("it answered 400")
        case .success(let response): self = .unusable(Self.words(response.status))
        }
    }

    /// The fault that a 200 is whose body cannot be used.
    init(_ fault: EmbeddingAnswer.Fault) {
        self =
            switch fault {
            case .malformed: .unusable("its answer is not one of /v1/embeddings")
            case .wrongCount(let count, let expected): .unusable("it gave \(count) vectors for \(expected) texts")
            case .wrongIndex: .unusable("the indexes of its vectors are not those of the texts")
            case .wrongLength(let count, let expected):
                .unusable("it gave a vector of \(count) numbers, and \(expected) are configured (dimensions)")
            case .notFinite: .unusable("it gave a vector with a number that is not finite")
            }
    }

    private static func words(_ status: Int) -> String {
        switch status {
        case 401, 403: "it answered \(status); see the model's apiKeyFile"
        case 404: "it answered 404; see the model's url and name"
        case 300..<400: "it answered \(status), a redirect, which is not followed; see the model's url"
        case 429, 500...: "it answered \(status), after all tries"
        default: "it answered \(status)"
        }
    }

    private static func words(_ error: TransportError) -> String {
        switch error {
        case .timedOut: "it took too long to answer, after all tries"
        case .nameNotResolved: "its name does not resolve"
        case .connectionRefused: "nothing listens at its address, or no route leads there"
        case .unreachable: "the connection to it broke"
        case .tlsFailed: "no secure connection to it: TLS failed, or its certificate is wrong"
        case .proxyFailed: "the proxy did not lead to it"
        case .overloaded, .rateLimited: "too many requests wait already to be sent to it"
        case .addressNotAllowed: "its address is not allowed: it is private, loopback, or not https"
        case .responseTooLarge: "its answer is too long"
        case .malformedResponse: "its answer is not HTTP, or cannot be unpacked"
        case .cancelled: "the request was given up"
        }
    }
}
