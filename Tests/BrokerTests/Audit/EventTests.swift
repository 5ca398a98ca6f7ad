import Broker
import Formats
import Testing

@Suite struct EventTests {
    private let time = Timestamp(milliseconds: 1_790_000_000_000)

    /// One `Character` may be of any length.
    @Test(arguments: [
        String(repeating: "x", count: 10_000), "e" + String(repeating: "\u{301}", count: 30_000),
        String(repeating: "\u{1F511}", count: 5_000), "a" + String(repeating: "ü", count: 5_000),
    ])
    func `what others put into an event is bounded by its bytes`(_ text: String) {
        let requester = Requester(subject: text, tokenID: text)
        let event = Event(.revocation, at: time, by: requester, detail: text)
        for (kept, most) in [(requester.subject, 256), (requester.tokenID, 256), (event.detail, 2048)] {
            #expect((most - 3...most).contains(kept?.utf8.count ?? 0))
            #expect(kept.map { text.utf8.starts(with: $0.utf8) } == true)
            #expect(kept?.unicodeScalars.contains("\u{FFFD}") == false)
        }
    }

    @Test func `what is short enough stays as it is`() {
        let text = String(repeating: "ü", count: 128)
        #expect(Requester(subject: text).subject == text)
    }
}
