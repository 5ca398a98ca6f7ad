import Secrets
import Transport

/// Answers by address, in the order given, the last one again and again; and remembers what it was asked.
final class ScriptedTransport: HTTPTransport {
    enum Answer: Sendable {
        case response(Int, headers: [(name: String, value: String)], body: [UInt8])
        case failure(TransportError)

        static func body(_ text: String, _ type: String, _ headers: [(name: String, value: String)] = []) -> Answer {
            .response(200, headers: [("content-type", type)] + headers, body: Array(text.utf8))
        }

        static func html(_ text: String, _ headers: [(name: String, value: String)] = []) -> Answer {
            body(text, "text/html; charset=utf-8", headers)
        }

        static func json(_ text: String) -> Answer { body(text, "application/json") }

        static func status(_ status: Int, _ headers: [(name: String, value: String)] = [], _ text: String = "")
            -> Answer
        {
            .response(status, headers: headers, body: Array(text.utf8))
        }

        static func redirect(_ address: String, _ status: Int = 302) -> Answer {
            .response(status, headers: [("location", address)], body: [])
        }
    }

    private struct State: Sendable {
        var answers: [String: [Answer]] = [:]
        var requests: [TransportRequest] = []
    }

    private let state = Locked(State())
    private let otherwise: @Sendable (TransportRequest) -> Answer

    /// - Parameter otherwise: answers what has no answer of its own.
    init(otherwise: @escaping @Sendable (TransportRequest) -> Answer = { _ in .status(404) }) {
        self.otherwise = otherwise
    }

    func answer(_ url: String, _ answers: Answer...) { state.withLock { $0.answers[url] = answers } }

    var requests: [TransportRequest] { state.withLock { $0.requests } }
    var urls: [String] { requests.map(\.url) }

    /// The values of a header that an address was asked with, `nil` where it had none.
    func headers(_ name: String, to url: String) -> [String?] {
        requests.filter { $0.url == url }.map { request in request.headers.first { $0.name == name }?.value }
    }

    func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
        let answer = state.withLock { state -> Answer in
            state.requests.append(request)
            guard var answers = state.answers[request.url] else { return otherwise(request) }
            let answer = answers.count > 1 ? answers.removeFirst() : answers[0]
            state.answers[request.url] = answers
            return answer
        }
        switch answer {
        case .response(let status, let headers, let body):
            return TransportResponse(status: status, headers: headers, body: body)
        case .failure(let error): throw error
        }
    }
}
