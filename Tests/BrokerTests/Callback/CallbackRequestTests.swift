import Formats
import Secrets
import Testing

@testable import Broker

@Suite struct CallbackRequestTests {
    private static let state = "8xLOxBtZp8WyMqYrSWNtPRAbBJrQ9hQ4M-9tJ1bYzXE"

    @Test(arguments: [
        "state=\(state)", "code=a&state=\(state)&x=y", "state=\(state.replacing("-", with: "%2D"))",
        "state=\(state)&a=", "a=%&state=\(state)", "state=\(state)&a=%FF", "x=100%&%E9=%&state=\(state)&%",
        "state=\(state)&state%FF=1",
    ])
    func `a state of the shape of ours is read`(_ query: String) {
        #expect(CallbackRequest(query.utf8, at: .legacy).state?.expose { $0 } == Self.state)
    }

    /// RFC 6749 § 3.1: a parameter must not come twice, and an empty one counts as left out.
    @Test(arguments: [
        "", "state=", "state", "State=\(state)", "state=\(state)&state=\(state)", "state=\(state)&state=",
        "state=&state=\(state)",
        "state=\(state)x", "state=\(state.dropLast())", "state=\(state.dropLast())F", "state=\(state.dropLast())%3D",
        "state=\(state.dropLast())%00", "state= \(state)", "state=\(state)%0A", "state=\(state.dropLast(2))%C3%A9",
        "state=%ZZ", "state=\(state)%", "state=\(state)%FF", "?state=\(state)", "state%=\(state)",
    ])
    func `a state of another shape, or not exactly one, is none`(_ query: String) {
        #expect(CallbackRequest(query.utf8, at: .legacy).state == nil)
    }

    @Test func `a member is absent, repeated, one or garbled`() {
        let request = CallbackRequest("a=1&b=&c=1&c=1&d=2+3&f=%E9&g=1%".utf8, at: .legacy)
        guard case .one("1") = request["a"], case .absent = request["b"], case .repeated = request["c"],
            case .one("2 3") = request["d"], case .absent = request["e"],
            case .garbled("\u{E9}") = request["f"], case .garbled("1%") = request["g"]
        else {
            Issue.record("a member is read wrongly")
            return
        }
    }

    /// Before the flow is known, any of these names may be its provider's for the code.
    @Test(arguments: ["code", "auth_code", "authCode", "spapi_oauth_code", "AuthCode"])
    func `a code that comes twice spends no state, and is repeated to nobody`(_ name: String) {
        let twice = CallbackRequest("\(name)=a&state=\(Self.state)&\(name)=b".utf8, at: .legacy)
        #expect(twice.repetition?.error == .invalidCallback)
        let query = "\(name)=Xy7c0de5Qw-93kd&error=said+Xy7c0de5Qw-93kd&state=\(Self.state)"
        let once = CallbackRequest(query.utf8, at: .legacy)
        #expect(once.repetition == nil)
        #expect(!once.hidden.redacted("said Xy7c0de5Qw-93kd").contains("c0de"))
    }

    /// A stranger may send a form of thousands of names that might be the code's.
    @Test func `however many codes come, each name is taken once`() {
        let names = CountedNames((0..<5000).map { "\($0)code" })
        #expect(!CallbackRequest.repeatsCode(names))
        #expect(names.taken.withLock { $0 } == 5000)
        let form = names.all.map { "\($0)=a&" }.joined() + "state=\(Self.state)"
        #expect(CallbackRequest(form.utf8, at: .legacy).repetition == nil)
        #expect(CallbackRequest((form + "&4999code=b").utf8, at: .legacy).repetition?.error == .invalidCallback)
    }

    @Test func `an error's code is no code`() {
        let request = CallbackRequest("error_code=1&error_code=2&state=\(Self.state)".utf8, at: .legacy)
        #expect(request.repetition == nil)
    }

    /// The code goes to the provider: what is not known to be it must not pass for it.
    @Test(arguments: ["code=%E9", "code=a%", "code=%C3", "code=%FF%FE", "code=\u{FFFD}", "code=%EF%BF%BD"])
    func `a code of bytes that mean nothing is none`(_ query: String) {
        guard case .garbled = CallbackRequest(query.utf8, at: .legacy)["code"] else {
            Issue.record("a code is read")
            return
        }
        guard case .garbled = CallbackRequest([0x63, 0x6F, 0x64, 0x65, 0x3D, 0xE9], at: .legacy)["code"] else {
            Issue.record("a raw byte is a code")
            return
        }
    }

    @Test(arguments: [
        ("error=access_denied&error_description=refus%E9", "access_denied", "refus\u{E9}"),
        ("error=%E9&error_description=a&error_description=b", nil, "a"),
        ("error_code=901&error_message=This+app+is+in+sandbox+mode", nil, "This app is in sandbox mode"),
        ("error_code=200&error_reason=user_denied", "user_denied", nil),
        ("error=access_denied&error_code=200&error_reason=user_denied", "access_denied", nil),
        ("error=1349126", nil, nil),
    ])
    func `a provider's error is told by its own names too`(_ query: String, _ code: String?, _ words: String?) throws {
        let profile = try Entry.profile(
            "callbackError: { error: [error_code, error_reason], errorDescription: [error_message] }")
        let error = try #require(CallbackRequest(query.utf8, at: .legacy).error(to: profile))
        #expect(error.code(hiding: HiddenValues()) == code)
        #expect(error.description == words)
    }

    @Test func `another name of the error means nothing beside a code, and nothing to other providers`() throws {
        let profile = try Entry.profile("callbackError: { error: [error_code] }")
        #expect(CallbackRequest("code=c&error_code=0".utf8, at: .legacy).error(to: profile) == nil)
        #expect(try CallbackRequest("error_code=1".utf8, at: .legacy).error(to: Entry.profile("")) == nil)
        #expect(CallbackRequest("code=c&error=x".utf8, at: .legacy).error(to: profile) != nil)
    }

    @Test(arguments: [
        "state=a&code=b&user=%7B%22name%22%7D", "code=a&error_description=%E9&x=100%", "a=1&a=2", "error=a&x=%0A",
    ])
    func `a form brings the same again`(_ query: String) throws {
        let request = CallbackRequest(query.utf8, at: .legacy)
        let again = CallbackRequest(Percent.form(try #require(request.fields)).utf8, at: .legacy)
        #expect(again.pairs.map(\.name) == request.pairs.map(\.name))
        #expect(again.pairs.map(\.value) == request.pairs.map(\.value))
    }

    /// It would come back as sound.
    @Test(arguments: ["code=%E9", "state=a%", "iss=%FF", "code=a%0Ab", "error=%"])
    func `what decides is not brought again where a form could change it`(_ query: String) {
        #expect(CallbackRequest(query.utf8, at: .legacy).fields == nil)
    }
}

/// Counts the names that were taken from it.
private final class CountedNames: Sequence {
    let all: [String]
    let taken = Locked(0)

    init(_ all: [String]) { self.all = all }

    func makeIterator() -> some IteratorProtocol<String> {
        var names = all.makeIterator()
        return AnyIterator {
            let name = names.next()
            if name != nil { self.taken.withLock { $0 += 1 } }
            return name
        }
    }
}
