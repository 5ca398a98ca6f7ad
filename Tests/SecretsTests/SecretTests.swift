import Foundation
import Logging
import Secrets
import Testing

@Suite struct SecretTests {
    enum Kind {}

    private static let text = "hunter2-hunter2"
    private let secret = Secret<Kind>(text)

    @Test func `only expose shows the text`() {
        #expect(secret.expose { $0 } == Self.text)
    }

    @Test func `expose passes a failure on`() {
        #expect(throws: CancellationError.self) { try secret.expose { _ in throw CancellationError() } }
    }

    /// Everything that may end up holding a secret.
    private var holders: [Any] {
        struct Holder {
            let secret: Secret<Kind>
            let optional: Secret<Kind>?
        }
        enum Choice { case one(Secret<Kind>) }
        final class Box {
            let secret: Secret<Kind>
            init(_ secret: Secret<Kind>) { self.secret = secret }
        }
        struct Failure: Error { let secret: Secret<Kind> }
        return [
            secret, Optional(secret) as Any, [secret], ["name": secret], (secret, 1), Result<_, Never>.success(secret),
            Holder(secret: secret, optional: secret), Choice.one(secret), Box(secret), Failure(secret: secret),
            [[Optional(secret)]], AnySequence([secret]).map { $0 },
        ]
    }

    @Test func `printing shows no text`() {
        for holder in holders {
            var shown = ""
            print(holder, to: &shown)
            debugPrint(holder, to: &shown)
            expectHidden(shown)
        }
    }

    @Test func `dumping shows no text`() {
        for holder in holders {
            var shown = ""
            dump(holder, to: &shown)
            expectHidden(shown)
        }
    }

    @Test func `describing, reflecting and interpolating show no text`() {
        for holder in holders {
            expectHidden(String(describing: holder))
            expectHidden(String(reflecting: holder))
            expectHidden("\(holder)")
        }
        expectHidden("\(secret)")
        expectHidden(secret.description)
        expectHidden(secret.debugDescription)
    }

    @Test func `formatting shows no text`() {
        expectHidden(String(format: "%@", String(describing: secret)))
        expectHidden(NSError(domain: "test", code: 1, userInfo: ["secret": secret]).description)
    }

    @Test func `a mirror has no children`() {
        #expect(Mirror(reflecting: secret).children.isEmpty)
        #expect(secret.customMirror.children.isEmpty)
        #expect(Mirror(reflecting: secret).superclassMirror == nil)
        #expect(Mirror(reflecting: Optional(secret) as Any).descendant("some", "text") == nil)
    }

    @Test func `the description names the kind`() {
        #expect(secret.description == "[redacted Kind]")
    }

    /// A secret that can be encoded is encoded by mistake one day; one that can be compared is compared in
    /// time that tells.
    @Test(
        arguments: [Secret<Kind>.self, SecretBytes.self, Optional<Secret<Kind>>.self, [SecretBytes].self] as [Any.Type])
    func `a secret can be neither encoded nor compared nor hashed`(_ type: Any.Type) {
        #expect(!(type is any Encodable.Type))
        #expect(!(type is any Decodable.Type))
        #expect(!(type is any Equatable.Type))
        #expect(!(type is any Hashable.Type))
        #expect(!(type is any LosslessStringConvertible.Type))
    }

    @Test func `sealed bytes cannot be encoded`() {
        let type: Any.Type = Sealed<Kind>.self
        #expect(!(type is any Encodable.Type))
    }

    @Test func `a log line shows no text`() {
        let lines = Lines()
        var logger = Logger(label: "test") { _ in lines }
        logger.logLevel = .trace
        logger[metadataKey: "always"] = "\(secret)"
        logger.error(
            "failed with \(secret)",
            metadata: [
                "text": "\(secret)", "value": .stringConvertible(secret), "list": ["\(secret)"],
                "nested": ["inner": .stringConvertible(secret)], "optional": "\(String(describing: Optional(secret)))",
            ])
        expectHidden(lines.text)
        #expect(lines.text.contains("failed with [redacted Kind]"))
    }

    @Test func `secrets match where their texts are equal`() {
        #expect(secret.matches(Secret(Self.text)))
        #expect(Secret<Kind>("").matches(Secret("")))
    }

    @Test(arguments: ["", "hunter2-hunter", "hunter2-hunter2 ", "Hunter2-hunter2", "hunter2-hunter3"])
    func `secrets do not match where their texts differ`(_ other: String) {
        #expect(!secret.matches(Secret(other)))
    }

    @Test func `two spellings of one letter do not match`() {
        #expect(!Secret<Kind>("\u{E9}").matches(Secret("e\u{301}")))
    }

    @Test func `the digest is that of the text`() {
        #expect(secret.digest == Digest(of: Self.text))
    }

    private func expectHidden(_ shown: String, location: SourceLocation = #_sourceLocation) {
        #expect(!shown.contains("hunter2"), sourceLocation: location)
        #expect(shown.contains("redacted") || shown.contains("Box"), sourceLocation: location)
    }
}

@Suite struct SecretBytesTests {
    // 171 is ab in hexadecimal and shows in neither by chance.
    private let secret = SecretBytes([171, 171, 171])

    @Test func `only expose shows the bytes`() {
        #expect(secret.expose { $0 } == [171, 171, 171])
        #expect(secret.count == 3)
    }

    @Test func `nothing that prints shows the bytes`() {
        struct Holder { let secret: SecretBytes }
        for holder in [secret, Optional(secret) as Any, [secret], ["name": secret], Holder(secret: secret)] {
            var shown = "\(holder)" + String(reflecting: holder)
            print(holder, to: &shown)
            dump(holder, to: &shown)
            #expect(!shown.contains("171"))
            #expect(shown.contains("[redacted bytes]"))
        }
        #expect(Mirror(reflecting: secret).children.isEmpty)
    }
}

/// Keeps what was logged.
///
/// `@unchecked Sendable`: the lock guards the one variable; nothing sets the rest after the logger was made.
private final class Lines: LogHandler, @unchecked Sendable {
    private let lock = NSLock()
    private var written = ""
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    var text: String { lock.withLock { written } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        lock.withLock { written += "\(event.message) \(all)\n" }
    }
}
