/// A dictionary that forgets its oldest entries rather than grow past twice its capacity.
struct BoundedMap<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let capacity: Int
    private var values: [Key: Value] = [:]
    /// Keys by age. Those already removed linger here until the next compaction.
    private var ages: [Key] = []

    init(capacity: Int) {
        self.capacity = capacity
    }

    var count: Int { values.count }

    subscript(key: Key) -> Value? {
        get { values[key] }
        set {
            guard let newValue else {
                values[key] = nil
                return
            }
            if values.updateValue(newValue, forKey: key) == nil { ages.append(key) }
            if ages.count > 2 * capacity { compact() }
        }
    }

    /// Keeps the youngest `capacity` entries. Run once every `capacity` insertions, so insertion stays O(1).
    private mutating func compact() {
        var kept: Set<Key> = []
        let living = ages.reversed().filter { values[$0] != nil && kept.insert($0).inserted }
        for key in living.dropFirst(capacity) { values[key] = nil }
        ages = living.prefix(capacity).reversed()
    }
}
