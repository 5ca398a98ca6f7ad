import Formats
import Testing

@testable import Broker
@testable import cloakroom

@Suite struct EventLogTests {
    @Test func `who reads the log is told which lines to look at`() {
        let level = { (kind: Event.Kind, code: String?) in
            EventLog.level(Event(kind, at: Timestamp(milliseconds: 0), code: code))
        }
        #expect(level(.credentialKeyReused, nil) == .warning)
        #expect(level(.auditBroken, nil) == .error)
        #expect(level(.credentialKeyUnreadable, nil) == .error)
        #expect(level(.flowFailed, "unavailable") == .error)
        #expect(level(.flowFailed, "access_denied") == .info)
        #expect(level(.flowStarted, nil) == .info)
    }
}
