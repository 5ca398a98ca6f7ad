import Broker
import Formats
import Foundation

extension Timestamp {
    static var now: Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }
}
