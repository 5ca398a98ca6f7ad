import Assets
import Formats
import Transport

extension SourceFault {
    /// The fault that a missing answer is, in words for people.
    init(_ error: TransportError, at host: String) {
        switch error {
        case .timedOut: self = .timedOut("\(host) took too long to answer")
        case .nameNotResolved: self = .unreachable("the name \(host) does not resolve")
        case .connectionRefused: self = .unreachable("nothing listens at \(host), or no route leads there")
        case .unreachable: self = .unreachable("the connection to \(host) broke")
        case .tlsFailed: self = .unreachable("no secure connection to \(host): TLS failed, or its certificate is wrong")
        case .proxyFailed: self = .unreachable("the proxy did not lead to \(host)")
        case .overloaded, .rateLimited: self = .unreachable("too many requests wait already to be sent to \(host)")
        case .addressNotAllowed:
            self = .addressRefused("the address of \(host) is not allowed: it is private, loopback, or not https")
        case .responseTooLarge: self = .tooLarge
        case .malformedResponse: self = .rejected("the answer of \(host) is not HTTP, or cannot be unpacked")
        case .cancelled: self = .cancelled
        }
    }

    /// The fault that an answer with an error is.
    ///
    /// - Parameters:
    ///   - source: its name for people, or its host.
    ///   - message: the source's own word: hostile text, shown in quotation marks and cut short.
    static func refused(by source: String, _ status: Int, message: String? = nil) -> SourceFault {
        .rejected("\(source) answered \(status)" + (message.map { " " + $0.quoted } ?? ""))
    }

    /// The fault that an answer without the expected content is.
    static func unreadable(_ content: String, from source: String) -> SourceFault {
        .rejected("\(source) answered with something that is not \(content)")
    }
}
