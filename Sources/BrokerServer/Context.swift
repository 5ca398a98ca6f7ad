import Formats
public import Hummingbird
import NIOCore

/// What is known of a request besides its head.
public struct Context: RequestContext {
    public var coreContext: CoreRequestContextStorage
    /// Echoed to the caller and written with every log line of the request.
    var requestID = ""
    /// Whose word about a client's address is taken.
    var proxies = TrustedProxies()
    private let channel: any Channel

    public init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    /// Where the request came from, past the proxies that are trusted. Worked out each time it is asked for.
    func clientAddress(of request: Request) -> IPAddress? {
        guard let peer = channel.remoteAddress.flatMap({ IPAddress($0) }) else { return nil }
        return proxies.client(peer: peer, request.headers)
    }
}
