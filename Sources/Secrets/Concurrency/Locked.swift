public import Glibc

/// A value that is reached under its lock alone: what holds one is plainly `Sendable`.
///
/// Not `Synchronization.Mutex`: the thread sanitizer does not see that one on Linux and reports races that are none.
/// Value and lock are one allocation. The lock is not recursive, and a body must not wait. A closure is held in a
/// struct, never as the value itself: each access to a generic `inout` function wraps it once more, for good.
///
/// `@usableFromInline`, and Glibc imported for all: without both, the compiler takes no inlinable method of a package
/// type into another module, and each use goes by way of generic code (5 % of an event loop's samples).
///
/// `@unchecked Sendable`: the value in `storage` is touched while the mutex beside it is held, and nowhere else.
@usableFromInline
package struct Locked<Value: Sendable>: ~Copyable, @unchecked Sendable {
    @usableFromInline
    let storage: ManagedBuffer<Value, pthread_mutex_t>

    /// Allocates the value and its lock together; both are freed with this owner.
    @inlinable
    package init(_ value: Value) {
        storage = ManagedBuffer<Value, pthread_mutex_t>.create(minimumCapacity: 1) { buffer in
            buffer.withUnsafeMutablePointerToElements { mutex in
                mutex.initialize(to: pthread_mutex_t())
                pthread_mutex_init(mutex, nil)
            }
            return value
        }
    }

    @inlinable
    deinit {
        storage.withUnsafeMutablePointerToElements { mutex in
            pthread_mutex_destroy(mutex)
            mutex.deinitialize(count: 1)
        }
    }

    /// Runs `body` with the value, which no other thread sees meanwhile. Blocks the thread until the lock is free; a
    /// throw of `body` releases it.
    @inlinable
    package borrowing func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try storage.withUnsafeMutablePointers { value, mutex throws(Failure) in
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            return try body(&value.pointee)
        }
    }
}
