import Broker
import Formats
import Foundation
import Transport

/// A provider's token endpoint that answers what the test wants and remembers what it was asked.
actor ScriptedProvider: ProviderTransport {
    typealias Answer = @Sendable (ProviderRequest) async throws(TransportError) -> ProviderResponse

    static let tokens =
        #"{"access_token":"access-hunter2","refresh_token":"refresh-hunter2","id_token":"id-hunter2","expires_in":3600}"#

    private(set) var requests: [ProviderRequest] = []
    private var answer: Answer = { _ in ProviderResponse(status: 200, body: Array(ScriptedProvider.tokens.utf8)) }

    func answers(_ answer: @escaping Answer) {
        self.answer = answer
    }

    func answers(_ body: String, status: Int = 200) {
        answer = { _ in ProviderResponse(status: status, body: Array(body.utf8)) }
    }

    func send(_ request: ProviderRequest) async throws(TransportError) -> ProviderResponse {
        requests.append(request)
        return try await answer(request)
    }

    /// The members of the only request's form.
    var form: [String: String] {
        guard requests.count == 1, let body = requests[0].body else { return [:] }
        let pairs = Percent.pairs(String(decoding: body, as: UTF8.self)) ?? []
        return Dictionary(pairs.map { ($0.name, $0.value) }) { first, _ in first }
    }
}

/// A clock that stands still until it is set.
///
/// `@unchecked Sendable`: the lock guards the one variable.
final class Clock: @unchecked Sendable {
    private let lock = NSLock()
    private var moment = Samples.now

    var now: Timestamp { lock.withLock { moment } }

    func advance(seconds: Int64) {
        lock.withLock { moment = moment.adding(seconds: seconds) }
    }

    func advance(milliseconds: Int64) {
        lock.withLock { moment = Timestamp(milliseconds: moment.milliseconds + milliseconds) }
    }
}

/// The events that a broker reported.
///
/// `@unchecked Sendable`: the lock guards the variables.
final class Events: @unchecked Sendable {
    private let lock = NSLock()
    private var reported: [Event] = []
    private var told: [Incident] = []

    var incidents: [Incident] { lock.withLock { told } }

    func append(_ incident: Incident) {
        lock.withLock { told.append(incident) }
    }

    var all: [Event] { lock.withLock { reported } }
    var kinds: [String] { all.map(\.kind.rawValue) }

    func append(_ event: Event) {
        lock.withLock { reported.append(event) }
    }
}
