package import Formats
public import Hummingbird
import NIOCore

/// A request besides its head and body: its id, the variable parts of its path, and the connection it came by.
///
/// Not one of Hummingbird's `RequestContext`s: their storage costs every request a lock and a logger that nobody here
/// asks for.
public struct Context: InitializableFromSource, Sendable {
    /// Echoed to the caller and written with every log line of the request.
    package internal(set) var requestID = ""
    /// Of the route's template; empty where no route was found.
    package internal(set) var parameters = PathParameters()
    /// The proxies whose word about a client's address is taken.
    var proxies = TrustedProxies()
    /// The other end of the connection; `nil` where it has no such address.
    private let peer: IPAddress?

    /// Of a request that came from `peer`; `ServiceResponder` fills in the rest.
    init(peer: IPAddress?) {
        self.peer = peer
    }

    /// As Hummingbird makes it for a request.
    public init(source: ApplicationRequestContextSource) {
        self.init(peer: source.channel.remoteAddress.flatMap { IPAddress($0) })
    }

    /// The address that the request came from, past the proxies that are trusted. The proxies' word is read each time.
    /// `nil` where the connection has no such address.
    package func clientAddress(of request: Request) -> IPAddress? {
        peer.map { proxies.client(peer: $0, request.headers) }
    }
}
