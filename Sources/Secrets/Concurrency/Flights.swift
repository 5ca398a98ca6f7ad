/// The calls under way, by what they are for: whoever comes later waits for the one that runs ("single flight").
///
/// A call belongs to nobody who waits for it: a caller that gives up does not end it for the others.
package struct Flights<Key: Hashable & Sendable, Value: Sendable, Failure: Error>: Sendable {
    package typealias Call = Task<Result<Value, Failure>, Never>

    private struct Flight {
        let number: Int
        let call: Call
    }

    private var running: [Key: Flight] = [:]
    private var lastNumber = 0

    package init() {}

    /// The call that runs for `key`.
    package subscript(key: Key) -> Call? { running[key]?.call }

    /// Keeps a call that `start` starts, in place of one that may run already.
    ///
    /// - Parameter start: is given the call's number, which it has to end with.
    package mutating func begin(_ key: Key, start: (_ number: Int) -> Call) -> Call {
        lastNumber += 1
        let call = start(lastNumber)
        running[key] = Flight(number: lastNumber, call: call)
        return call
    }

    /// Ends a call. `false`: it was parted from those who come later, and what it brings is not for them.
    package mutating func end(_ key: Key, number: Int) -> Bool {
        guard running[key]?.number == number else { return false }
        running[key] = nil
        return true
    }

    /// Parts a call from those who come later: it serves those who wait already, and nobody else.
    package mutating func part(_ key: Key) { running[key] = nil }
}
