import Daemon
import Formats
import Testing

@Suite struct TerminalTests {
    // MARK: tables

    private static let rows = [["ID", "NAME"], ["1", "a long name indeed"], ["22", "b"]]

    @Test func `cells stand under one another, without spaces at the ends of lines`() {
        #expect(Table.text(Self.rows, width: nil) == "ID  NAME\n1   a long name indeed\n22  b\n")
    }

    @Test func `on a narrow terminal the widest column is cut short`() {
        #expect(Table.text(Self.rows, width: 14) == "ID  NAME\n1   a long na…\n22  b\n")
    }

    @Test func `no column is cut below eight characters`() {
        let text = Table.text(Self.rows, width: 3)
        #expect(text == "ID  NAME\n1   a long …\n22  b\n")
    }

    @Test func `a table without rows is empty`() { #expect(Table.text([], width: 80) == "") }

    @Test func `what acts on a terminal is shown in a cell, and counted as shown`() {
        let text = Table.text([["A", "B"], ["\u{1B}[2J\n", "x"]], width: nil)
        #expect(text == "A\(String(repeating: " ", count: 15))B\n\\u{1B}[2J\\u{A}  x\n")
    }

    @Test(arguments: [("ab", 4, "ab  "), ("abcd", 4, "abcd"), ("abcde", 4, "abcde"), ("e\u{301}", 3, "e\u{301} ")])
    func `a cell is padded by scalars`(_ cell: String, _ width: Int, _ padded: String) {
        #expect(Table.padded(cell, to: width).unicodeScalars.elementsEqual(padded.unicodeScalars))
    }

    // MARK: JSON

    @Test func `JSON is printed with its members sorted and slashes as they are`() {
        let value = JSONValue.object(["b": .string("https://x/y"), "a": .number(1e15)])
        #expect(JSONText.of(value, .line) == #"{"a":1000000000000000,"b":"https://x/y"}"#)
        #expect(JSONText.of(value) == "{\n  \"a\" : 1000000000000000,\n  \"b\" : \"https://x/y\"\n}")
    }

    @Test func `one is one`() {
        #expect(counted(0, "key") == "0 keys" && counted(1, "key") == "1 key" && counted(2, "key") == "2 keys")
    }

    // MARK: confirmation

    private static func confirm(_ answer: String?, isTerminal: Bool = true) -> Refusal? {
        do {
            try Confirmation.ask("This destroys\nall.", isTerminal: isTerminal) { answer }
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: ["yes", " yes "])
    func `a person who types yes means it`(_ answer: String) { #expect(Self.confirm(answer) == nil) }

    @Test(arguments: ["y", "YES", "yes please", "no", "", nil] as [String?])
    func `any other answer does nothing`(_ answer: String?) {
        #expect(Self.confirm(answer)?.lines == ["nothing was done"])
    }

    /// A script that forgot `--yes` must not be taken for a person by what it is fed.
    @Test func `where nobody can be asked nothing is done, and what would be is said on one line`() {
        let lines = Self.confirm("yes", isTerminal: false)?.lines
        #expect(lines?.count == 2)
        #expect(lines?.first?.hasSuffix("This destroys all.") == true && lines?.last?.contains("--yes") == true)
    }
}
