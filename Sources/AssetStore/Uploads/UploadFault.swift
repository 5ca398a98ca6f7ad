/// A reason why a caller's file could not be kept or read. Names the call that failed, never the file's own name.
public enum UploadFault: Error, Equatable, Sendable {
    /// There is no file of that name.
    case missing
    /// The disk is full, or the folder cannot be written; `reason` is the system's.
    case failed(reason: String)
    /// The file was finished or given up before.
    case closed
}
