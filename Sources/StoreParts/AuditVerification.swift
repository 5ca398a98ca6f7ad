/// The result of reading the whole audit trail.
public enum AuditVerification: Sendable, Equatable {
    /// Nothing was altered, added or removed: so many events, from the first to the last kept.
    case sound(events: Int64, first: Int64, last: Int64)
    /// The first event that does not fit, or the end of the trail that is not where it should be.
    case broken(sequence: Int64, finding: String)
}

/// A place where an audit trail does not fit: the first event concerned, and why.
package struct Breach: Error, Equatable, Sendable {
    package let sequence: Int64
    package let finding: String

    package init(sequence: Int64, finding: String) {
        self.sequence = sequence
        self.finding = finding
    }
}
