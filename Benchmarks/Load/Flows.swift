import Glibc

/// Flows as a frontend and a browser drive them: authorize, callback, redemption.
///
/// The codes are ours. The token endpoint makes tokens from them, so each answer tells which flow it belongs to.
final class Flows {
    /// A credential key that waits, and the code whose tokens it must give.
    struct Key {
        let text: String
        let code: String
    }

    /// The result of a run: answers, and the time of each flow.
    struct Outcome {
        var run = Load.Run()
        /// Seconds from sending the first request of a flow to the last answer.
        var durations: [Double] = []
        var keys: [Key] = []
    }

    private enum Stage { case idle, authorizing, callingBack, redeeming }

    private struct Slot {
        var stage = Stage.idle
        var code = ""
        var flow = ""
        var key = ""
        var began = 0.0
    }

    private let ports: [UInt16]
    private let authorize: [[UInt8]]
    private let prefix = String(UInt64.random(in: 1 << 60...UInt64.max), radix: 16)
    private var started = 0
    /// Answers that belonged to another flow or held other tokens. None is allowed.
    private(set) var wrong = 0

    /// - Parameters:
    ///   - ports: brokers; connection `i` is to `ports[i % count]`.
    ///   - tokens: callers' tokens; connection `i` uses `tokens[i % count]`.
    init(ports: [UInt16], tokens: [String]) {
        self.ports = ports
        authorize = tokens.map { Requests.authorize(token: $0) }
    }

    /// Whole flows, `atOnce` of them at a time.
    func complete(_ count: Int, atOnce: Int) throws -> Outcome { try run(count, atOnce, redeeming: true) }

    /// Flows up to their callback; their keys are left outstanding.
    func leaveOutstanding(_ count: Int, atOnce: Int = 64) throws -> [Key] {
        try run(count, atOnce, redeeming: false).keys
    }

    /// Redeems `keys` in random order.
    func redeem(_ keys: [Key], atOnce: Int) throws -> Load.Run {
        let order = keys.shuffled()
        let requests = order.map { Requests.redeem(key: $0.text) }
        var taken = 0
        var current = [Int](repeating: -1, count: atOnce)
        return try Load(ports: ports, connections: atOnce).run { slot, answer in
            if let answer { try self.check(answer, holdsTokensOf: order[current[slot]].code) }
            guard taken < requests.count else { return nil }
            current[slot] = taken
            taken += 1
            return requests[current[slot]]
        }
    }

    private func run(_ count: Int, _ atOnce: Int, redeeming: Bool) throws -> Outcome {
        var outcome = Outcome()
        var slots = [Slot](repeating: Slot(), count: atOnce)
        let end = started + count
        outcome.run = try Load(ports: ports, connections: atOnce).run { index, answer in
            switch slots[index].stage {
            case .idle: break
            case .authorizing:
                guard let answer, answer.status == 200, let state = answer.body.word(after: "&state="),
                    let flow = answer.body.word(after: "\"flow\":\"")
                else { throw Trouble(unexpected: answer) }
                slots[index].stage = .callingBack
                slots[index].flow = flow
                let name = answer.body.word(after: "%2Foauth%2Fcallback%2F")
                return Requests.callback(at: name, code: slots[index].code, state: state)
            case .callingBack:
                guard let answer, answer.status == 302, let key = answer.head.word(after: "#credentialKey=") else {
                    throw Trouble(unexpected: answer)
                }
                if answer.head.word(after: "&flow=") != slots[index].flow { self.wrong += 1 }
                if redeeming {
                    slots[index].stage = .redeeming
                    return Requests.redeem(key: key)
                }
                outcome.keys.append(Key(text: key, code: slots[index].code))
            case .redeeming:
                guard let answer else { return nil }
                try self.check(answer, holdsTokensOf: slots[index].code)
                outcome.durations.append(Clock.seconds() - slots[index].began)
            }
            guard self.started < end else { return nil }
            self.started += 1
            slots[index] = Slot(
                stage: .authorizing, code: "\(self.prefix)-\(self.started)", began: Clock.seconds())
            return self.authorize[index % self.authorize.count]
        }
        return outcome
    }

    private func check(_ answer: Message, holdsTokensOf code: String) throws {
        guard answer.status == 200 else { throw Trouble(unexpected: answer) }
        let access = answer.body.position(of: "\"\(TokenEndpoint.accessToken(for: code))\"")
        if access == nil || answer.body.position(of: "\"\(TokenEndpoint.refreshToken(for: code))\"") == nil {
            wrong += 1
        }
    }
}

extension Trouble {
    init(unexpected answer: Message?) {
        guard let answer else {
            self.init("no answer")
            return
        }
        let text = String(decoding: answer.body.prefix(300), as: UTF8.self)
        self.init("unexpected answer \(answer.status): \(text)")
    }
}
