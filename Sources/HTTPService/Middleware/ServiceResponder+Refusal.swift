import Foundation
import HTTPTypes
import Hummingbird
package import HummingbirdCore
import NIOCore
import NIOHTTP1

extension ServiceResponder {
    /// HTTP/1.1 for untrusted peers, in front of this responder.
    package func listener(
        _ bounds: ListenerBounds, counting connections: Connections
    ) -> HTTPServerBuilder {
        let largestBody = largestBody
        return HTTPServerBuilder { _ in
            Listener(
                respond: { await answer($0, Context(peer: $1)) }, connections: connections,
                timeout: bounds.requestTimeout, largestBody: largestBody, refuse: { refuse($0, path: $1) })
        }
    }

    /// The bound of a request's body by its target. Looked up only where some route takes more than most.
    private var largestBody: RequestGuard.LargestBody {
        guard routes.hasLargeBodies else { return { _ in Request.largestBody } }
        return { [routes] target in
            let path = String(
                decoding: target.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }, as: UTF8.self)
            return routes.find(path)?.route.largestBody ?? Request.largestBody
        }
    }

    /// The answer to a request that HTTP itself forbids, so that no route sees it. Logged and counted as any other.
    private func refuse(_ fault: RequestFault, path: String) -> Refusal {
        var problem = Problem.invalidRequest(fault.detail)
        if fault == .headTooLarge { problem.status = .requestHeaderFieldsTooLarge }
        let requestID = RequestID.random()
        let path = String(
            decoding: path.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }, as: UTF8.self)
        let content = problem.content(path: path, requestID: requestID)
        var fields = problem.fields
        fields[.requestID] = requestID
        fields[.xContentTypeOptions] = "nosniff"
        fields[.referrerPolicy] = "no-referrer"
        fields[.connection] = "close"
        fields[.contentLength] = String(content.readableBytes)
        unrouted.count(.unknown, status: problem.status.code, after: .zero, in: metrics)
        log.write(refusing: fault, problem.status, requestID: requestID)
        return Refusal(
            status: HTTPResponseStatus(statusCode: problem.status.code),
            headers: HTTPHeaders(fields.map { ($0.name.rawName, $0.value) }), body: content)
    }
}
