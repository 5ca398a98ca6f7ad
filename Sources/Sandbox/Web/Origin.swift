/// The scheme, host and port of an address.
struct Origin {
    let text: String

    /// - Parameter address: An absolute address out of this program's own settings, taken at its word.
    init(of address: String) {
        let scheme = address.prefix { $0 != ":" }
        let rest = address.dropFirst(scheme.count + 3)
        text = scheme + "://" + rest.prefix { !"/?#".contains($0) }
    }
}
