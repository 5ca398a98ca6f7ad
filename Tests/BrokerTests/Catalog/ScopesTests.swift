import Testing

@testable import Catalog

@Suite struct ScopesTests {
    @Test(arguments: [
        ("a b", ["a", "b"]), ("a,b", ["a", "b"]), (" a ,  b\t", ["a", "b"]), ("a\r\nb", ["a", "b"]),
        ("a\rb", ["a", "b"]), ("\r", []), ("", []), ("a \u{301}b", ["a", "\u{301}b"]),
    ])
    func `an answer's scopes are apart by white space or commas, by bytes`(_ text: String, _ scopes: [String]) {
        #expect(Scopes.split(text).map { Array($0.utf8) } == scopes.map { Array($0.utf8) })
    }
}
