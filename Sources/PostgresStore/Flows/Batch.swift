import Broker
import Catalog
import Formats
import Secrets
import StoreParts

/// The operations of one commit: one statement for all of a kind.
struct Batch {
    let operations: [Operation]
    /// True: nothing is redeemed unless the server makes commits wait for a standby.
    let requiresSynchronousStandby: Bool

    /// An answer that waits for the commit.
    typealias Answer = (Ending) -> Void

    /// Runs all in the transaction. The answers are good once it is committed.
    func run(_ transaction: Transaction) throws -> [Answer] {
        var run = Run(transaction: transaction)
        try run.admit(operations)
        try run.send(operations)
        try transaction.open()
        try run.read(operations)
        try run.redeem(operations, requiresSynchronousStandby: requiresSynchronousStandby)
        // In the order in which they came, whatever kind they are of.
        for event in run.events.sorted(by: { $0.place < $1.place }) { transaction.record(event.event) }
        return run.answers
    }

    private struct Run {
        let transaction: Transaction
        var answers: [Answer] = []
        var events: [(place: Int, event: Event)] = []
        private var admissions: [FlowID: FlowAdmission] = [:]
        private var sent: [Kind] = []

        private enum Kind { case start, claim, succeed, fail, told, look }

        init(transaction: Transaction) { self.transaction = transaction }

        /// Where there are bounds, they are looked at first.
        mutating func admit(_ operations: [Operation]) throws {
            let flows = operations.compactMap { if case .start(let flow, _, _) = $0 { flow } else { nil } }
            guard transaction.outstanding.bounds.isOn else { return }
            try transaction.outstanding.look(at: flows, in: transaction)
            for flow in flows { admissions[flow.id] = transaction.outstanding.admit(flow) }
        }

        private func isAdmitted(_ flow: Flow) -> Bool {
            if case .admitted = admissions[flow.id] ?? .admitted { true } else { false }
        }

        // MARK: statements

        mutating func send(_ operations: [Operation]) throws(PostgresFailure) {
            // Keys before flows, as revocations and sweeps lock them.
            let digests = Set(
                operations.compactMap { operation in
                    if case .redeem(let redemption, _, _) = operation { redemption.keyDigest } else { nil }
                })
            if !digests.isEmpty { try send(.look, .look, [.byteses(digests.map(\.bytes))]) }
            try sendStarts(operations)
            try sendClaims(operations)
            try sendSuccesses(operations)
            try sendFailures(operations)
            let told = operations.compactMap { if case .noteTold(let id, _) = $0 { id.bytes } else { nil } }
            if !told.isEmpty { try send(.told, .noteTold, [.byteses(told)]) }
        }

        private mutating func send(
            _ kind: Kind, _ statement: Statement, _ parameters: [Parameter]
        ) throws(PostgresFailure) {
            try transaction.send(statement, parameters)
            sent.append(kind)
        }

        private mutating func sendStarts(_ operations: [Operation]) throws(PostgresFailure) {
            let flows = operations.compactMap { operation in
                if case .start(let flow, _, _) = operation, isAdmitted(flow) { flow } else { nil }
            }
            guard !flows.isEmpty else { return }
            try send(
                .start, .start,
                [
                    .byteses(flows.map(\.id.bytes)), .ints(flows.map(\.startedAt.milliseconds)),
                    .ints(flows.map(\.expiresAt.milliseconds)), .texts(flows.map(\.tenant.description)),
                    .texts(flows.map(\.sourceType.description)),
                    .texts(flows.map { FlowParameters.encode($0.parameters) }),
                    .texts(flows.map { $0.scopes.joined(separator: " ") }),
                    .texts(flows.map(\.frontendOrigin.description)), .texts(flows.map { $0.returnURL?.text }),
                    .texts(flows.map { $0.exchangeChallenge?.text }), .texts(flows.map(\.key.description)),
                    .texts(flows.map(\.redirect.description)), .texts(flows.map(\.clientID)),
                ])
        }

        private mutating func sendClaims(_ operations: [Operation]) throws(PostgresFailure) {
            var (ids, redirects, areBound, moments): ([[UInt8]], [String], [Bool], [Int64]) = ([], [], [], [])
            for case .claim(let id, let redirect, let isBound, let now, _) in operations {
                ids.append(id.bytes)
                redirects.append(redirect.description)
                areBound.append(isBound)
                moments.append(now.milliseconds)
            }
            guard !ids.isEmpty else { return }
            try send(.claim, .claim, [.byteses(ids), .texts(redirects), .bools(areBound), .ints(moments)])
        }

        private mutating func sendSuccesses(_ operations: [Operation]) throws(PostgresFailure) {
            var (ids, keys): ([[UInt8]], [StoredCredentialKey]) = ([], [])
            for case .succeed(let id, let key, _, _) in operations {
                ids.append(id.bytes)
                keys.append(key)
            }
            guard !ids.isEmpty else { return }
            try send(
                .succeed, .succeed,
                [
                    .byteses(ids), .byteses(keys.map(\.keyDigest.bytes)), .byteses(keys.map { $0.key?.bytes }),
                    .ints(keys.map(\.expiresAt.milliseconds)), .ints(keys.map(\.createdAt.milliseconds)),
                    .byteses(keys.map(\.credentials.bytes)), .byteses(keys.map { $0.revocation?.bytes }),
                ])
        }

        private mutating func sendFailures(_ operations: [Operation]) throws(PostgresFailure) {
            var (ids, errors, descriptions): ([[UInt8]], [String], [String?]) = ([], [], [])
            for case .fail(let id, let error, let description, _, _) in operations {
                ids.append(id.bytes)
                errors.append(error)
                descriptions.append(description)
            }
            guard !ids.isEmpty else { return }
            try send(.fail, .fail, [.byteses(ids), .texts(errors), .texts(descriptions)])
        }

        // MARK: results

        private var begun: Set<[UInt8]> = []
        private var claimed: [FlowID: Flow] = [:]
        private var succeeded: Set<[UInt8]> = []
        private var presented: [[UInt8]: QueryResult.Row] = [:]

        mutating func read(_ operations: [Operation]) throws {
            for kind in sent {
                let result = try transaction.next()
                switch kind {
                case .start: begun = Set(result.rows.map { $0.bytes(0) })
                case .claim:
                    for row in result.rows { FlowRow.flow(row).map { claimed[$0.id] = $0 } }
                case .succeed: succeeded = Set(result.rows.map { $0.bytes(0) })
                case .look: for row in result.rows { presented[row.bytes(PresentedKey.digest)] = row }
                case .fail, .told: break
                }
            }
            for (place, operation) in operations.enumerated() { read(operation, at: place) }
        }

        private mutating func read(_ operation: Operation, at place: Int) {
            switch operation {
            case .start(let flow, let event, let caller):
                guard isAdmitted(flow) else {
                    let admission = admissions[flow.id] ?? .tooMany
                    return answers.append { caller.answer($0.result(admission)) }
                }
                guard begun.contains(flow.id.bytes) else {
                    return answers.append { _ in caller.answer(.failure(.unavailable("the flow is there already"))) }
                }
                events.append((place, event))
                answers.append { caller.answer($0.result(.admitted)) }
            case .claim(let id, _, _, _, let caller):
                let flow = claimed[id]
                answers.append { caller.answer($0.result(flow)) }
            case .succeed(let id, _, let event, let caller):
                let isKept = succeeded.contains(id.bytes)
                if isKept { events.append((place, event)) }
                answers.append { caller.answer($0.result(isKept)) }
            case .fail(_, _, _, let event, let caller):
                events.append((place, event))
                answers.append { caller.answer($0.result(())) }
            case .noteTold(_, let caller): answers.append { caller.answer($0.result(())) }
            case .record(let event, let caller):
                events.append((place, event))
                answers.append { caller.answer($0.result(())) }
            case .redeem, .alone: break
            }
        }

        // MARK: redemption

        /// Of several presentations of one key in a commit, the first good one takes it.
        mutating func redeem(_ operations: [Operation], requiresSynchronousStandby: Bool) throws {
            var spent: [(digest: [UInt8], flow: [UInt8], now: Int64)] = []
            var taken: Set<[UInt8]> = []
            let box = SpentKeys()
            for (place, operation) in operations.enumerated() {
                guard case .redeem(let redemption, let open, let caller) = operation else { continue }
                if requiresSynchronousStandby, !transaction.isSynchronous {
                    answers.append { _ in caller.answer(.failure(.unavailable(Self.notSynchronous))) }
                    continue
                }
                let digest = redemption.keyDigest.bytes
                let outcome =
                    presented[digest].map {
                        Candidate($0).judge(redemption, isTaken: taken.contains(digest), opening: open)
                    } ?? .refused
                guard case .redeemed(_, let placement) = outcome else {
                    answers.append { caller.answer($0.result(outcome)) }
                    continue
                }
                taken.insert(digest)
                spent.append((digest, placement.flow.bytes, redemption.now.milliseconds))
                events.append((place, redemption.event(outcome)))
                answers.append { ending in
                    if case .unreplicated = ending {
                        caller.answer(
                            .failure(.uncertain("PostgreSQL committed with a warning: a standby may lack the commit")))
                    } else if case .committed = ending, box.digests?.contains(digest) == false {
                        // Its row was locked and unspent: only something beside the broker can have come between.
                        caller.answer(.failure(.uncertain("the key's row was changed by something else")))
                    } else {
                        caller.answer(ending.result(outcome))
                    }
                }
            }
            guard !spent.isEmpty else { return }
            spent.sort { $0.digest.lexicographicallyPrecedes($1.digest) }
            try transaction.later(
                .spend,
                [.byteses(spent.map(\.digest)), .byteses(spent.map(\.flow)), .ints(spent.map(\.now))]
            ) { box.digests = Set($0.rows.map { $0.bytes(0) }) }
        }

        private static let notSynchronous = """
            storage.requireSynchronousStandby is set and the server waits for no standby (synchronous_standby_names is \
            empty): nothing is redeemed
            """
    }

    /// The keys that the statement at the end did spend.
    private final class SpentKeys {
        /// `nil` where the answer was lost, and the commit found again: the rows were locked and unspent.
        var digests: Set<[UInt8]>?
    }
}
