import Foundation

/// A sign of life on a terminal, for what lasts longer than a second.
enum Progress {
    static func showing<Result: Sendable>(
        _ words: String, _ work: () async throws -> Result
    ) async throws -> Result {
        guard isatty(STDERR_FILENO) == 1 else { return try await work() }
        let sign = Task {
            var seconds = 0
            while true {
                try await Task.sleep(for: .seconds(1))
                seconds += 1
                Terminal.passing("\(words) … \(seconds) s")
            }
        }
        defer {
            sign.cancel()
            // The line goes, so that the result stands alone.
            Terminal.passing(nil)
        }
        return try await work()
    }
}

/// A question before something is destroyed.
enum Confirmation {
    /// Throws unless a person types `yes`.
    static func ask(_ consequences: String) throws {
        guard isatty(STDIN_FILENO) == 1 else {
            throw Refusal(
                "nobody can confirm this: " + consequences.replacing("\n", with: " "),
                hint: "give --yes if that is what you want")
        }
        Terminal.write(consequences)
        Terminal.ask("Type yes to go on: ")
        guard readLine()?.trimmingCharacters(in: .whitespaces) == "yes" else { throw Refusal("nothing was done") }
    }
}
