/// A reason why a store could not do its work. Names the statement or file, never a value.
public enum AssetStoreError: Error, Equatable, Sendable {
    /// The disk is full, or the file vanished or is read-only. The words are the program's own.
    case unavailable(String)
    /// The store is closed, since the service stops.
    case closed
}
