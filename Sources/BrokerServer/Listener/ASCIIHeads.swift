import Broker
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1

/// Leaves nothing but ASCII in the heads of requests, before anything reads them.
///
/// The HTTP library looks at `Connection` and at the target with `==`, for which Swift brings both sides into their
/// normal form: 30,000 combining marks cost it a third of a second.
final class ASCIIHeads: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data), !head.isASCII else { return context.fireChannelRead(data) }
        head.uri = Percent.ascii(head.uri)
        head.headers = HTTPHeaders(
            head.headers.compactMap { name, value in
                let known = HeaderValue.lowercased(name.utf8[...])
                // The decoder acted on it: it must not vanish from the view of whoever judges where the message ends.
                if known.isExactly("transfer-encoding") { return (name, value) }
                return HeaderValue.ascii(value, of: known).map { (name, $0) }
            })
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }
}

extension HTTPRequestHead {
    fileprivate var isASCII: Bool {
        uri.utf8.allSatisfy { $0 < 0x80 } && headers.allSatisfy { $0.value.utf8.allSatisfy { $0 < 0x80 } }
    }
}

extension Request {
    /// The same with ASCII alone in its target and headers, whatever brought it.
    var inASCII: Request {
        let isASCII =
            uri.string.utf8.allSatisfy { $0 < 0x80 }
            && headers.allSatisfy { $0.withUnsafeBytesOfValue { $0.allSatisfy { $0 < 0x80 } } }
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
