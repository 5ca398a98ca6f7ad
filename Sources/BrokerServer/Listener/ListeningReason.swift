package import Broker
import Foundation
import NIOCore

extension Reason {
    /// The reason why an address cannot be listened at, in the system's words.
    package init(listening error: any Error) {
        switch error {
        case let error as IOError: self = "\(trusted: String(cString: strerror(error.errnoCode)))"
        case is SocketAddressError: self = "the host's name does not resolve"
        default: self = "an unexpected error (\(trusted: "\(type(of: error))"))"
        }
    }
}
