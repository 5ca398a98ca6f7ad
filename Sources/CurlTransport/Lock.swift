import Glibc

/// A mutual exclusion lock.
///
/// `Synchronization.Mutex` would do, but the thread sanitizer does not see it on Linux and reports races that are none.
///
/// `@unchecked Sendable`: the mutex is made and freed by this class alone, and is there to be used by many threads.
final class Lock: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    init() {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    func withLock<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }
}
