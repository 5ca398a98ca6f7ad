import Dispatch

/// Runs what may block, such as reading a file, outside of Swift's pool: that has as few threads as the machine has
/// cores, and every request needs one.
package func blocking<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(returning: body()) }
    }
}
