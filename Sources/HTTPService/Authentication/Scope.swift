/// A right that a call needs (RFC 6750 § 3). Each service names its own.
package struct Scope: Hashable, Sendable {
    /// As it stands in the token's claim.
    package let name: String

    /// Takes any name.
    package init(_ name: String) {
        self.name = name
    }
}
