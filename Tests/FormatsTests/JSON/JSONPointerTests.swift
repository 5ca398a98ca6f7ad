import Formats
import Testing

@Suite struct JSONPointerTests {
    /// The document of RFC 6901 § 5.
    private static let document = JSONValue(
        json: Array(
            #"""
            {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8}
            """#.utf8))

    /// RFC 6901 § 5.
    @Test(
        arguments: [
            ("/foo", .array([.string("bar"), .string("baz")])), ("/foo/0", .string("bar")), ("/", .number(0)),
            ("/a~1b", .number(1)),
            ("/c%d", .number(2)), ("/e^f", .number(3)), ("/g|h", .number(4)), ("/i\\j", .number(5)),
            ("/k\"l", .number(6)),
            ("/ ", .number(7)), ("/m~0n", .number(8)),
        ] as [(String, JSONValue)])
    func `a pointer finds what RFC 6901 § 5 finds`(_ pointer: String, _ value: JSONValue) throws {
        #expect(try JSONPointer(pointer)?.value(in: #require(Self.document)) == value)
    }

    /// RFC 6901 § 5: the empty pointer is the whole document.
    @Test func `the empty pointer finds the whole document`() throws {
        let document = try #require(Self.document)
        #expect(JSONPointer("")?.value(in: document) == document)
    }

    /// RFC 6901 § 4: `~01` becomes `~1`, and never `/`.
    @Test func `an escaped tilde is not unescaped again`() {
        let document = JSONValue.object(["~1": .string("right"), "/": .string("wrong")])
        #expect(JSONPointer("/~01")?.value(in: document) == .string("right"))
        #expect(JSONPointer("/~1")?.value(in: document) == .string("wrong"))
    }

    /// RFC 6901 § 4: an index has no leading zeros, and `-` is after the end.
    @Test(arguments: [
        "/2", "/-1", "/01", "/00", "/-", "/+0", "/1e0", "/ 0", "/", "/0x0", "/\u{660}", "/99999999999999999999",
    ])
    func `what is no index of a list finds nothing`(_ pointer: String) {
        #expect(JSONPointer(pointer)?.value(in: .array([.string("a"), .string("b")])) == nil)
    }

    @Test(arguments: ["/foo/bar", "/foo/0/0", "/missing", "/a/b", "//", "/foo/"])
    func `a pointer into nothing finds nothing`(_ pointer: String) throws {
        #expect(try JSONPointer(pointer)?.value(in: #require(Self.document)) == nil)
    }

    @Test func `null counts as absent`() {
        #expect(JSONPointer("/a")?.value(in: .object(["a": .null])) == nil)
        #expect(JSONPointer("/a/b")?.value(in: .object(["a": .null])) == nil)
    }

    /// RFC 6901 § 3.
    @Test(arguments: ["a", "a/b", " /a", "#/a", "/~", "/~2", "/a~", "/a~/b", "/~~0", "~0", "$.a", "."])
    func `a text of another form is no pointer`(_ text: String) {
        #expect(JSONPointer(text) == nil)
    }

    @Test(arguments: ["a", "a/b", "m~n", "~1", "", "é", "/"])
    func `a member is found by its name as it is`(_ name: String) {
        let pointer = JSONPointer.member(name)
        #expect(pointer.value(in: .object([name: .bool(true)])) == .bool(true))
        #expect(JSONPointer(pointer.description) == pointer)
    }
}
