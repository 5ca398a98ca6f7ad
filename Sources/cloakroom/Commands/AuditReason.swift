import ArgumentParser

/// The reason that an operator gives for what cannot be undone; it is kept in the audit trail.
enum AuditReason {
    static func check(_ reason: String) throws(ValidationError) {
        guard (1...500).contains(reason.unicodeScalars.count) else {
            throw ValidationError("--reason takes 1 to 500 characters")
        }
    }
}
