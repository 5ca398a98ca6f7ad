import CoreMetrics
import Synchronization

// What is counted, each a few atomic operations: a request passes several, and none may wait for a scrape.
// Relaxed ordering is enough: nothing else is read by what they say.

/// A number that is added to.
final class CounterSeries: CounterHandler, Sendable {
    private let count = Atomic<Int64>(0)

    var value: Int64 { count.load(ordering: .relaxed) }

    func increment(by amount: Int64) { count.wrappingAdd(amount, ordering: .relaxed) }

    func reset() { count.store(0, ordering: .relaxed) }
}

/// A number that is set.
final class GaugeSeries: MeterHandler, RecorderHandler, Sendable {
    private let number = AtomicDouble()

    var value: Double { number.value }

    func set(_ value: Int64) { number.set(Double(value)) }
    func set(_ value: Double) { number.set(value) }
    func increment(by amount: Double) { number.add(amount) }
    func decrement(by amount: Double) { number.add(-amount) }
    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }
}

/// Numbers counted by how large they are.
final class HistogramSeries: RecorderHandler, TimerHandler, Sendable {
    private let bounds: [Double]
    /// One for each bound, and one for what is larger than all.
    private let counts: [CounterSeries]
    private let total = AtomicDouble()

    init(_ bounds: [Double]) {
        self.bounds = bounds
        counts = (0...bounds.count).map { _ in CounterSeries() }
    }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count].increment(by: 1)
        total.add(value)
    }

    /// Seconds, as Prometheus has all durations.
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    /// The count up to each bound and in all, and the sum. The sum may lack what is recorded just now.
    var snapshot: (cumulative: [(bound: Double, count: Int64)], sum: Double) {
        var count: Int64 = 0
        let cumulative = zip(bounds + [.infinity], counts).map { bound, series in
            count += series.value
            return (bound, count)
        }
        return (cumulative, total.value)
    }
}

private struct AtomicDouble: ~Copyable, Sendable {
    private let bits = Atomic<UInt64>(0)

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func add(_ amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (exchanged, found) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = found
        }
    }
}
