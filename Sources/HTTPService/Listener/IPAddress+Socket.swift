import Formats
import NIOCore

extension IPAddress {
    /// `nil` for a socket that is not of the network.
    init?(_ address: SocketAddress) {
        guard let text = address.ipAddress else { return nil }
        self.init(text)
    }
}
