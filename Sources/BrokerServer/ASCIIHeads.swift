import Broker
import HTTPTypes
public import HummingbirdCore
import Logging
public import NIOCore
public import NIOHTTP1

/// Leaves nothing but ASCII in the heads of requests, before anything reads them.
///
/// The HTTP library looks at `Connection` and at the target with `==`, for which Swift brings both sides into their
/// normal form: 30,000 combining marks cost it a third of a second.
public final class ASCIIHeads: ChannelInboundHandler, RemovableChannelHandler {
    public typealias InboundIn = HTTPServerRequestPart
    public typealias InboundOut = HTTPServerRequestPart

    public init() {}

    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data), !head.isASCII else { return context.fireChannelRead(data) }
        head.uri = Percent.ascii(head.uri)
        head.headers = HTTPHeaders(
            head.headers.compactMap { name, value in
                HeaderValue.ascii(value, of: HeaderValue.lowercased(name.utf8[...])).map { (name, $0) }
            })
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }
}

extension HTTPRequestHead {
    fileprivate var isASCII: Bool {
        uri.utf8.allSatisfy { $0 < 0x80 } && headers.allSatisfy { $0.value.utf8.allSatisfy { $0 < 0x80 } }
    }
}

/// HTTP/1.1 with `ASCIIHeads` in front of everything that reads a request.
private struct HTTP1ASCIIChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    let base: HTTP1Channel

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        base.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(ASCIIHeads(), position: .after(decoder))
            return value
        }
    }

    func handle(value: Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}

extension BrokerServer {
    /// What serves the responder over HTTP/1.1.
    public static func http1(idleTimeout: TimeAmount) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            HTTP1ASCIIChannel(
                base: HTTP1Channel(responder: responder, configuration: .init(idleTimeout: idleTimeout)))
        }
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
