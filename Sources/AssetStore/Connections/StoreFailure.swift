import GRDB

enum StoreFailure {
    /// Names the result code and SQLite's words for it, never a statement's values.
    static func reason(_ error: any Error) -> String {
        switch error {
        case let error as DatabaseError: "\(error.extendedResultCode): \(error.message ?? "no message")"
        case is MalformedRow: "a row is not of the form that this program writes"
        case is ChunkOutOfRange: "a document has more chunks than the store takes"
        // None is known; its text may hold anything.
        default: "an unexpected error (\(type(of: error)))"
        }
    }
}

/// A row that this program cannot have written.
struct MalformedRow: Error {}
