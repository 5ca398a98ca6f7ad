import Formats
import NIOHTTP1
import Testing

@testable import HTTPService

@Suite struct RequestFaultTests {
    private func fault(
        _ uri: String = "/healthz", _ method: HTTPMethod = .GET, version: HTTPVersion = .http1_1,
        fields: [(String, String)] = [("Host", "broker.example.com")]
    ) -> RequestFault? {
        var head = HTTPRequestHead(version: version, method: method, uri: uri, headers: HTTPHeaders(fields))
        return RequestFault(in: &head)
    }

    /// RFC 9112 § 3.2.
    @Test func `a request has one Host, or none in HTTP 1 0`() {
        #expect(fault(fields: []) == .hostMissing)
        #expect(fault(version: .http1_0, fields: []) == nil)
        #expect(fault(fields: [("Host", "a"), ("hOST", "a")]) == .hostRepeated)
        #expect(fault(version: .http1_0, fields: [("Host", "a"), ("Host", "b")]) == .hostRepeated)
    }

    @Test(arguments: [
        "a", "A.example.com", "broker.example.com:8443", "a:", "192.0.2.1", "[::1]", "[2001:db8::1]:80",
        "[::ffff:192.0.2.1]", "under_score", "xn--bcher-kva.example", "a%2Db",
    ])
    func `a host name or address, and perhaps a port, is a Host`(_ host: String) {
        #expect(fault(fields: [("Host", host)]) == nil)
    }

    /// RFC 3986 § 3.2.2: unreserved characters, sub-delims and the percent sign; a colon begins the port.
    @Test func `a host name has these bytes alone`() {
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        let good = Set((letters + "-._~!$&'()*+,;=%:").utf8)
        for byte in UInt8(0)..<0x80 {
            let host = "a" + String(decoding: [byte], as: UTF8.self)
            #expect((fault(fields: [("Host", host)]) == nil) == good.contains(byte), "\(byte)")
        }
    }

    @Test(arguments: [
        "", " ", "a b", "user@a", "a/b", "a?b", "a#b", "a:b", "a:-1", "a:65536", "a:123456", ":80", "[", "[::1",
        "[::1]x",
        "[]", "[a]", "[1.2.3.4]", "a,b c", "a\"b", "bücher.example", "a\u{0}",
    ])
    func `anything else is none`(_ host: String) {
        #expect(fault(fields: [("Host", host)]) == .hostInvalid)
    }

    /// RFC 9112 § 3.2.2: the absolute form is taken from everybody, and its own host counts.
    @Test(arguments: [
        ("http://a/x?y=http://b", "/x?y=http://b"), ("HTTPS://a:1/x", "/x"), ("http://a", "/"), ("http://a?x", "/?x"),
        ("/x://y", "/x://y"), ("//a/b", "//a/b"),
    ])
    func `a target becomes its path`(_ uri: String, _ path: String) {
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: uri, headers: ["Host": "a"])
        #expect(RequestFault(in: &head) == nil)
        #expect(head.uri == path)
    }

    @Test(arguments: [
        "", "x", "a:80", "ftp://a/", "http:/a", "http:///a", "http://u@a/", "http://a b/", "://a", "*", "?x",
    ])
    func `other targets are none`(_ uri: String) {
        #expect(fault(uri) == .target)
    }

    @Test func `the asterisk is for OPTIONS`() {
        #expect(fault("*", .OPTIONS) == nil)
    }

    /// RFC 9112 § 6.1 and § 6.3.
    @Test(arguments: [
        [("Content-Length", "1"), ("Content-Length", "1")],
        [("Content-Length", "1"), ("Transfer-Encoding", "chunked")],
        [("Transfer-Encoding", "chunked"), ("transfer-encoding", "chunked")], [("Transfer-Encoding", "gzip, chunked")],
        [("Transfer-Encoding", "identity")], [("Transfer-Encoding", "")],
    ])
    func `a body is framed in one way`(_ fields: [(String, String)]) {
        #expect(fault("/", .POST, fields: [("Host", "a")] + fields) == .framing)
    }

    @Test func `chunks are of HTTP 1 1`() {
        let fields = [("Host", "a"), ("Transfer-Encoding", "Chunked")]
        #expect(fault("/", .POST, fields: fields) == nil)
        #expect(fault("/", .POST, version: .http1_0, fields: fields) == .framing)
        #expect(fault(version: .init(major: 2, minor: 0)) == .version)
    }
}
