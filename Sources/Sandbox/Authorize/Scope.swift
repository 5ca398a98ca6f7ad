/// The scopes that a client may ask for. The sandbox grants any name; those it knows have a description.
enum Scope {
    static let known: [(name: String, description: String)] = [
        ("files.read", "See the names of your files"),
        ("profile", "See your name and e-mail address"),
        ("offline", "Keep access while you are away"),
    ]

    static func description(of name: String) -> String {
        known.first { $0.name == name }?.description ?? "Something this sandbox has no words for"
    }

    /// RFC 6749 § 3.3: words of visible ASCII without `"` and `\`, separated by single spaces.
    static func parse(_ text: String) -> [String]? {
        let names = text.split(separator: " ", omittingEmptySubsequences: false)
        let wellFormed = names.allSatisfy { name in
            !name.isEmpty && name.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != 0x22 && $0 != 0x5c }
        }
        return wellFormed ? names.map(String.init) : nil
    }
}
