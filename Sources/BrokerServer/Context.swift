public import Hummingbird
import NIOCore

/// What is known of a request besides its head.
public struct Context: RequestContext {
    public var coreContext: CoreRequestContextStorage
    /// Echoed to the caller and written with every log line of the request.
    var requestID = ""

    public init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
    }
}
