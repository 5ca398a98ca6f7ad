import Glibc
import NIOCore

/// The reason why an address cannot be listened at.
enum ListeningReason {
    /// In the system's words where it has any.
    static func words(_ error: any Error) -> String {
        switch error {
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case is SocketAddressError: "the host's name does not resolve"
        default: "an unexpected error (\(type(of: error)))"
        }
    }
}
