/// The calls under way, by what they are for: a later caller waits for the one that runs ("single flight").
///
/// A call belongs to none of those who wait for it: a caller that gives up does not end it for the others.
package struct Flights<Key: Hashable & Sendable, Value: Sendable, Failure: Error>: Sendable {
    /// A running call. It returns its failure as a value, so that every waiter gets it in its own type.
    package typealias Call = Task<Result<Value, Failure>, Never>

    private struct Flight {
        let number: Int
        let call: Call
    }

    private var running: [Key: Flight] = [:]
    private var lastNumber = 0

    /// A set in which nothing runs.
    package init() {}

    /// The keys of the calls that run and were not parted.
    package var keys: some Collection<Key> { running.keys }

    /// The call that runs for `key`; `nil` where none does, or where it was parted.
    package subscript(key: Key) -> Call? { running[key]?.call }

    /// Keeps the call that `start` starts. It takes the place of one that may run already, which goes on for those who
    /// wait for it.
    ///
    /// - Parameter start: is given the call's number, which has to be passed to `end`.
    package mutating func begin(_ key: Key, start: (_ number: Int) -> Call) -> Call {
        lastNumber += 1
        let call = start(lastNumber)
        running[key] = Flight(number: lastNumber, call: call)
        return call
    }

    /// Ends a call. `false` where it was parted or replaced: its result must not be kept for later callers.
    package mutating func end(_ key: Key, number: Int) -> Bool {
        guard running[key]?.number == number else { return false }
        running[key] = nil
        return true
    }

    /// Parts a call from later callers: it serves those who wait already, and nobody else.
    package mutating func part(_ key: Key) { running[key] = nil }

    /// Parts all calls whose keys are selected from later callers.
    package mutating func part(where isSelected: (Key) -> Bool) {
        for key in running.keys.filter(isSelected) { running[key] = nil }
    }
}
