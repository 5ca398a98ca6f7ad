import ServiceContextModule
import Testing

@testable import OTLPTracing

@Suite struct TraceContextTests {
    /// W3C Trace Context § 3.2, to which the sections below belong too.
    private let example = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test func `is read and written`() throws {
        let trace = try #require(TraceContext(example))
        #expect(trace.traceID == "0af7651916cd43dd8448eb211c80319c")
        #expect(trace.spanID == "b7ad6b7169203331")
        #expect(trace.isSampled)
        #expect(trace.traceparent == example)
        #expect(TraceContext("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")?.isSampled == false)
        // Flags that nobody knows yet are ignored (§ 3.2.2.5), and not passed on.
        #expect(
            TraceContext("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff")?.traceparent == example)
    }

    @Test(arguments: [
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-else",
    ])
    func `of a later version is read by its first fields`(_ text: String) {
        #expect(TraceContext(text)?.traceparent == example)
    }

    @Test(arguments: [
        "", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-011",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331_01",
        " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
    ])
    func `that breaks a rule is none`(_ text: String) {
        #expect(TraceContext(text) == nil)
    }

    @Test func `keeps a state that can go on in a header, and no other`() {
        #expect(TraceContext(example, state: "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")?.state != nil)
        #expect(TraceContext(example, state: "a=b\r\nX: y")?.state == nil)
        #expect(TraceContext(example, state: String(repeating: "a", count: 513))?.state == nil)
    }
}
