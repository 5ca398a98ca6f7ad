import Foundation

/// A line on a terminal that tells that a command still works, for what lasts longer than a second.
package enum Progress {
    /// Runs `work`; meanwhile a line on standard error counts the seconds. Nothing is drawn where that is no terminal.
    ///
    /// - Parameter words: asked for each second anew.
    package static func showing<Result: Sendable>(
        _ words: @autoclosure @escaping @Sendable () -> String, _ work: () async throws -> Result
    ) async throws -> Result {
        guard isatty(STDERR_FILENO) == 1 else { return try await work() }
        let sign = Task {
            var seconds = 0
            while true {
                try await Task.sleep(for: .seconds(1))
                seconds += 1
                Terminal.passing("\(words()) … \(seconds) s")
            }
        }
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(try await work())
        } catch {
            outcome = .failure(error)
        }
        sign.cancel()
        // It may be drawing just now.
        _ = await sign.result
        // The line goes, so that the result stands alone.
        Terminal.passing(nil)
        return try outcome.get()
    }
}
