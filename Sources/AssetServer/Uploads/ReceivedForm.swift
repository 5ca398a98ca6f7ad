import Assets
import Secrets

/// A form that arrived whole: its file is in the uploads' folder, under a name of ours.
struct ReceivedForm: Sendable {
    let upload: Upload
    /// The part `Payload`, as it came.
    let payload: [UInt8]?

    /// The bytes by which the form is known again, whatever boundary it was sent with.
    var identity: [[UInt8]] {
        [Array(upload.fileName.utf8), Array(upload.contentType.utf8), Array(upload.digest.utf8), payload ?? []]
    }
}
