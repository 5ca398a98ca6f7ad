package import Formats
import Foundation

extension Timestamp {
    /// The system's clock, cut to milliseconds. Code below the commands is given it as a parameter.
    package static var now: Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }
}
