import Testing

@testable import AssetReaders

@Suite struct APIKeyTests {
    @Test(arguments: ["sk-1", "sk-1\n", " \r\n\tsk-1\r\n"])
    func `a key's file may have white space around it`(_ text: String) {
        #expect(APIKey(file: Array(text.utf8))?.expose { $0 } == "sk-1")
    }

    @Test(arguments: ["", "\n", "two words", "sk\u{0}1", "schlüssel", String(repeating: "k", count: 4097)])
    func `what cannot stand in a header is no key`(_ text: String) {
        #expect(APIKey(file: Array(text.utf8)) == nil)
    }
}
