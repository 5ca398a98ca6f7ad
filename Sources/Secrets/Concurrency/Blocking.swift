import Dispatch

/// Runs `body`, which may block (such as reading a file), outside of Swift's pool: that has one thread for each core,
/// and every request needs one.
package func blocking<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(returning: body()) }
    }
}
