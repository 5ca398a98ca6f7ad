import Secrets
import Testing

@testable import Broker

@Suite struct CallbackRequestTests {
    private static let state = "8xLOxBtZp8WyMqYrSWNtPRAbBJrQ9hQ4M-9tJ1bYzXE"

    @Test(arguments: [
        "state=\(state)", "code=a&state=\(state)&x=y", "state=\(state.replacing("-", with: "%2D"))",
        "state=\(state)&a=",
    ])
    func `a state of the shape of ours is read`(_ query: String) {
        #expect(CallbackRequest(query, at: .legacy).state?.expose { $0 } == Self.state)
    }

    /// RFC 6749 § 3.1: a parameter must not come twice, and an empty one counts as left out.
    @Test(arguments: [
        "", "state=", "state", "State=\(state)", "state=\(state)&state=\(state)", "state=\(state)&state=",
        "state=&state=\(state)",
        "state=\(state)x", "state=\(state.dropLast())", "state=\(state.dropLast())F", "state=\(state.dropLast())%3D",
        "state=\(state.dropLast())%00", "state= \(state)", "state=\(state)%0A", "state=\(state.dropLast(2))%C3%A9",
        "state=%ZZ",
        "a=%&state=\(state)", "state=\(state)&a=%FF", "?state=\(state)",
    ])
    func `a state of another shape, or not exactly one, is none`(_ query: String) {
        #expect(CallbackRequest(query, at: .legacy).state == nil)
    }

    @Test func `a member is absent, repeated or one`() {
        let request = CallbackRequest("a=1&b=&c=1&c=1&d=2+3", at: .legacy)
        guard case .one("1") = request["a"], case .absent = request["b"], case .repeated = request["c"],
            case .one("2 3") = request["d"],
            case .absent = request["e"]
        else {
            Issue.record("a member is read wrongly")
            return
        }
    }
}
