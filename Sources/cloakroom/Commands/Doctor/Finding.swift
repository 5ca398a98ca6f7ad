/// One line of an examination: its subject, what was found, and what to do about it.
struct Finding: Sendable {
    enum Level: String, Sendable {
        case ok
        /// Allowed, and perhaps meant.
        case warn
        /// Somebody has to do something, and the exit status says so.
        case fail

        /// Of one width, before lines for people.
        var mark: String {
            switch self {
            case .ok: "ok  "
            case .warn: "warn"
            case .fail: "FAIL"
            }
        }
    }

    let subject: String
    let level: Level
    let words: String
    var hint: String?

    static func good(_ subject: String, _ words: String) -> Finding {
        Finding(subject: subject, level: .ok, words: words)
    }

    static func bad(_ subject: String, _ words: String, hint: String) -> Finding {
        Finding(subject: subject, level: .fail, words: words, hint: hint)
    }
}
