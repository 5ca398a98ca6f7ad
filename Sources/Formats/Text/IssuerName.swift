/// The name that an issuer's tokens must bear, or one for each of its tenants: in
/// `https://login.example/{tenantid}/v2.0` the placeholder stands for the tenant that a token names itself, in its claim `tid`.
///
/// Microsoft writes it so in the metadata of its common endpoints, where the tenant is known only once somebody has
/// signed in.
package struct IssuerName: Sendable {
    private let before: Substring
    /// `nil`: the same for all.
    private let after: Substring?

    /// The placeholder's name; a parameter that is called so takes its place.
    package static let placeholder = "tenantid"

    /// Takes an issuer as the catalog has it; any text is one.
    package init(_ text: String) {
        let parts = text.split(separator: "{\(Self.placeholder)}", maxSplits: 1, omittingEmptySubsequences: false)
        before = parts[0]
        after = parts.count == 2 ? parts[1] : nil
    }

    /// True if each tenant of the provider has a name of its own.
    package var hasTenants: Bool { after != nil }

    /// The name for one tenant; `nil` where that is no plain word, which could change more than its place.
    package func name(for tenant: String) -> String? {
        guard let after else { return String(before) }
        return Self.isTenant(tenant.utf8[...]) ? "\(before)\(tenant)\(after)" : nil
    }

    /// Tells whether it is this name, or that of any tenant.
    package func admits(_ name: String) -> Bool {
        guard let after else { return name.isExactly(before) }
        let name = name.utf8
        guard name.count > before.utf8.count + after.utf8.count, name.starts(with: before.utf8),
            name.suffix(after.utf8.count).elementsEqual(after.utf8)
        else { return false }
        return Self.isTenant(name.dropFirst(before.utf8.count).dropLast(after.utf8.count))
    }

    private static func isTenant(_ text: Substring.UTF8View) -> Bool {
        (1...64).contains(text.count) && text.allSatisfy { $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "-") }
    }
}
