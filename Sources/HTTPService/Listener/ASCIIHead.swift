import Formats
import HTTPTypes
import Hummingbird
import NIOHTTP1

extension HTTPRequestHead {
    /// The same with ASCII alone in its target and fields.
    ///
    /// The HTTP library looks at `Connection` and at the target with `==`, for which Swift brings both sides into their
    /// normal form: 30,000 combining marks cost it a third of a second. So it must not see them.
    var inASCII: HTTPRequestHead {
        let isASCII =
            uri.utf8.everyByte { $0 < 0x80 } && headers.allSatisfy { $0.value.utf8.everyByte { $0 < 0x80 } }
        if isASCII { return self }
        var head = self
        head.uri = Percent.ascii(uri)
        head.headers = HTTPHeaders(
            headers.compactMap { name, value in
                let known = HeaderValue.lowercased(name.utf8[...])
                // The decoder acted on it, so the check of where the message ends must see it too.
                if known.isExactly("transfer-encoding") { return (name, value) }
                return HeaderValue.ascii(value, of: known).map { (name, $0) }
            })
        return head
    }
}

extension Request {
    /// The same with ASCII alone in its target and headers, whatever brought it.
    var inASCII: Request {
        let isASCII =
            uri.string.utf8.everyByte { $0 < 0x80 }
            && headers.allSatisfy { $0.withUnsafeBytesOfValue { $0.everyByte { $0 < 0x80 } } }
        if isASCII { return self }
        var head = head
        head.path = head.path.map(Percent.ascii)
        head.headerFields = HTTPFields(
            headers.compactMap { field in
                HeaderValue.ascii(field.value, of: field.name.canonicalName).map {
                    HTTPField(name: field.name, value: $0)
                }
            })
        return Request(head: head, body: body)
    }
}
