import Broker
import Formats

/// The end of an operation's transaction.
enum Ending {
    /// On the disk.
    case committed
    /// The server committed it with a warning: a standby may lack it.
    case unreplicated
    /// Nobody can tell whether it is there.
    case unknown
    /// It is not there.
    case failed(StoreError)

    /// The result for a caller who is none the worse for a standby that lacks it.
    func result<Value>(_ value: Value) -> Result<Value, StoreError> {
        switch self {
        case .committed, .unreplicated: .success(value)
        case .unknown: .failure(.uncertain("PostgreSQL did not answer a commit"))
        case .failed(let error): .failure(error)
        }
    }
}

/// The way back to a caller.
struct Caller<Value: Sendable>: Sendable {
    let continuation: CheckedContinuation<Result<Value, StoreError>, Never>

    func answer(_ result: Result<Value, StoreError>) { continuation.resume(returning: result) }
}

/// One caller's work. The first kinds share statements and a commit; the others have a transaction each.
enum Operation: Sendable {
    case start(Flow, Event, Caller<FlowAdmission>)
    case claim(FlowID, RedirectPath, isBound: Bool, now: Timestamp, Caller<Flow?>)
    case succeed(FlowID, StoredCredentialKey, Event, Caller<Bool>)
    case fail(FlowID, error: String, description: String?, Event, Caller<Void>)
    case redeem(Redemption, Redemption.Opening, Caller<Redemption.Outcome>)
    case noteTold(FlowID, Caller<Void>)
    case record(Event, Caller<Void>)
    case alone(any SingleOperation)

    /// The flow whose row it changes: two of one flow do not share a statement.
    var flow: FlowID? {
        switch self {
        case .start(let flow, _, _): flow.id
        case .claim(let id, _, _, _, _), .succeed(let id, _, _, _), .fail(let id, _, _, _, _), .noteTold(let id, _): id
        case .redeem, .record, .alone: nil
        }
    }

    /// True where nobody but its caller has anything of it: a ticket, a state or tokens that would be lost.
    var isForItsCaller: Bool {
        switch self {
        case .start, .claim, .redeem: true
        case .succeed, .fail, .noteTold, .record, .alone: false
        }
    }

    /// Ends it without having run.
    func finish(_ error: StoreError) {
        switch self {
        case .start(_, _, let caller): caller.answer(.failure(error))
        case .claim(_, _, _, _, let caller): caller.answer(.failure(error))
        case .succeed(_, _, _, let caller): caller.answer(.failure(error))
        case .fail(_, _, _, _, let caller): caller.answer(.failure(error))
        case .redeem(_, _, let caller): caller.answer(.failure(error))
        case .noteTold(_, let caller), .record(_, let caller): caller.answer(.failure(error))
        case .alone(let operation): operation.finish(.failed(error))
        }
    }
}

/// An operation with a transaction of its own.
protocol SingleOperation: AnyObject, Sendable {
    var line: Transaction.Line { get }

    /// May run more than once: what it makes counts when it is finished as committed.
    func run(_ transaction: Transaction) throws

    func finish(_ ending: Ending)
}

/// `@unchecked Sendable`: after it was handed over, only the writer's thread touches `result`.
final class Single<Value: Sendable>: SingleOperation, @unchecked Sendable {
    let line: Transaction.Line
    private let body: @Sendable (Transaction) throws -> Value
    private let caller: Caller<Value>
    private var result: Value?

    init(
        _ line: Transaction.Line, for caller: Caller<Value>,
        body: @escaping @Sendable (Transaction) throws -> Value
    ) {
        self.line = line
        self.caller = caller
        self.body = body
    }

    func run(_ transaction: Transaction) throws { result = try body(transaction) }

    func finish(_ ending: Ending) {
        if let result {
            caller.answer(ending.result(result))
        } else if case .failed(let error) = ending {
            caller.answer(.failure(error))
        } else {
            caller.answer(.failure(.closed))
        }
    }
}
