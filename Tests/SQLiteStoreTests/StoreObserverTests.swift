import Secrets
import StoreParts
import Testing

@testable import SQLiteStore

@Suite struct StoreObserverTests {
    /// A listener that is wrapped in a thunk at each access costs more with every commit, and at last the stack.
    @Test func `telling costs no more stack the thousandth time than the first`() {
        let observer = StoreObserver()
        let depths = Locked<[UInt]>([])
        observer.listen { _ in
            var local = 0
            let address = withUnsafeMutablePointer(to: &local) { UInt(bitPattern: $0) }
            depths.withLock { $0.append(address) }
        }
        for _ in 0..<1000 { observer.tell(.failed) }
        let seen = depths.withLock { $0 }
        #expect(seen.count == 1000 && seen.first == seen.last)
    }
}
