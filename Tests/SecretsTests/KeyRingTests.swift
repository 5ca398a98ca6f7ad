import Secrets
import Testing

@Suite struct KeyRingTests {
    private static let encoded = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

    @Test func `the first key of the file seals`() throws {
        let ring = try KeyRing(TestKeys.ring)
        #expect(ring.primary.description == "k1")
        #expect(ring.ids.map(\.description) == ["k1", "k2"])
    }

    @Test func `rings differ at a name that both have with other bytes`() throws {
        let ring = try KeyRing(TestKeys.first)
        let id = ring.primary
        #expect(!ring.differs(from: try KeyRing(TestKeys.ring), at: id))
        #expect(!ring.differs(from: try KeyRing(TestKeys.second), at: id))
        #expect(ring.differs(from: try KeyRing("k1:\(String(repeating: "A", count: 43))"), at: id))
    }

    @Test func `the order of the file is kept`() throws {
        let names = ["m", "z", "a", "Q", "1", "_"]
        let ring = try KeyRing(names.map { "\($0):\(Self.encoded)" }.joined(separator: "\n"))
        #expect(ring.ids.map(\.description) == names)
    }

    @Test func `blank lines and comments are passed over`() throws {
        let ring = try KeyRing("\n# today's\n\n\(TestKeys.first)\n   \n\t# before\n#\n\(TestKeys.second)\n\n")
        #expect(ring.ids.map(\.description) == ["k1", "k2"])
    }

    @Test func `the last line needs no end`() throws {
        #expect(try KeyRing(TestKeys.first).ids.count == 1)
    }

    @Test func `white space around a name and a key is passed over`() throws {
        #expect(bytes(of: try KeyRing(" k1 : \(Self.encoded)\t ")) == bytes(of: try KeyRing(TestKeys.first)))
    }

    /// Editors of other systems end lines with carriage return and line feed.
    @Test func `a file with other line ends has all its keys`() throws {
        let ring = try KeyRing("\(TestKeys.first)\r\n\(TestKeys.second)\r\n")
        #expect(ring.ids.map(\.description) == ["k1", "k2"])
        #expect(bytes(of: ring) == bytes(of: try KeyRing(TestKeys.ring)))
    }

    @Test func `a comment in a file with other line ends hides no key`() throws {
        let ring = try? KeyRing("# today's\r\n\r\n\(TestKeys.first)\r\n")
        #expect(ring?.ids.map(\.description) == ["k1"])
    }

    @Test func `lines are counted in a file with other line ends`() {
        #expect(fault("\(TestKeys.first)\r\n\r\nk2\r\n") == .lineMalformed(line: 3))
    }

    /// RFC 4648 § 4 and § 5: one value, whichever alphabet it is written in, with or without padding.
    @Test func `a key in the URL-safe alphabet and without padding is the same key`() throws {
        let standard = try KeyRing("k:+/\(String(repeating: "A", count: 41))=")
        let safe = try KeyRing("k:-_\(String(repeating: "A", count: 41))")
        #expect(bytes(of: standard) == bytes(of: safe))
    }

    @Test(arguments: ["", "\n\n", "# nothing\n", "   \n\t\n"])
    func `a file without keys is refused`(_ text: String) {
        #expect(fault(text) == .empty)
    }

    @Test func `a line without a colon is refused with its number`() {
        #expect(fault("# one\n\nk1\n") == .lineMalformed(line: 3))
    }

    @Test(arguments: ["", "a/b", "a+b", "ключ", "k\u{301}", "\u{FEFF}k", String(repeating: "k", count: 33)])
    func `a name of another shape is refused with its line`(_ name: String) {
        #expect(fault("\(TestKeys.first)\n\(name):\(Self.encoded)") == .nameMalformed(line: 2))
    }

    @Test(arguments: [
        "", "=", "AAAA", "!", String(encoded.dropLast(2)), "A" + encoded, "AAAA" + encoded,
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHhé=",
    ])
    func `a key that is not base64 of 32 bytes is refused with its line and name`(_ key: String) throws {
        let id = try #require(KeyRing.KeyID("k2"))
        #expect(fault("\(TestKeys.first)\nk2:\(key)") == .keyMalformed(line: 2, id: id))
    }

    /// Two lines that were run together would else lose the second key without a word.
    @Test(arguments: ["=more", "=k2:\(encoded)", "==", "=A="])
    func `anything but one sign of padding after a key is refused`(_ end: String) throws {
        let id = try #require(KeyRing.KeyID("k1"))
        #expect(fault("k1:\(Self.encoded.dropLast())\(end)") == .keyMalformed(line: 1, id: id))
    }

    @Test func `a name that comes twice is refused with its second line`() throws {
        let id = try #require(KeyRing.KeyID("k1"))
        #expect(fault("\(TestKeys.first)\n# again\n\(TestKeys.first)") == .nameRepeated(line: 3, id: id))
    }

    @Test(arguments: ["a", "A.b_c-9", String(repeating: "k", count: 32)])
    func `a name may have letters, digits, dots, underscores and hyphens`(_ name: String) throws {
        #expect(try KeyRing("\(name):\(Self.encoded)").primary.description == name)
    }

    @Test func `a new line can be read and holds a new key each time`() throws {
        let id = try #require(KeyRing.KeyID("2026-01"))
        let lines = (0..<100).map { _ in KeyRing.newLine(id: id) }
        #expect(Set(lines).count == lines.count)
        for line in lines {
            #expect(try KeyRing(line).ids == [id])
            #expect(line.utf8.count == "2026-01:".utf8.count + 44)
        }
    }

    @Test func `what is wrong with a file is told without a key`() {
        let told = String(reflecting: fault("k1:\(Self.encoded)\nk1:\(Self.encoded)"))
        #expect(!told.contains("AAECAw"))
    }

    @Test func `a ring shows no key`() throws {
        let ring = try KeyRing("k1:q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=")
        var shown = String(describing: ring) + String(reflecting: ring) + "\(ring)"
        dump(ring, to: &shown)
        #expect(shown.contains("KeyRing"))
        for form in ["171", "q6ur", "abab", "ABAB"] { #expect(!shown.contains(form)) }
    }

    private func fault(_ text: String) -> KeyRingError? {
        do throws(KeyRingError) {
            _ = try KeyRing(text)
            return nil
        } catch {
            return error
        }
    }

    /// Something that depends on every byte of every key.
    private func bytes(of ring: KeyRing) -> [[UInt8]?] {
        ring.ids.map { ring.derive(Label("test"), from: SecretBytes([]), key: $0)?.expose { $0 } }
    }
}
