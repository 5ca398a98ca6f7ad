import HTTPTypes
import Hummingbird
import Logging
import OTLPTracing

/// One line for each request.
struct AccessLog: Sendable {
    let logger: Logger

    /// The route's template, never the path or the query: they may hold a code, a state or a key.
    ///
    /// - Parameter code: the problem's that was answered.
    func write(
        _ request: Request, at route: Route?, _ status: HTTPResponse.Status, code: String?, requestID: String,
        trace: TraceContext?, after duration: Duration
    ) {
        guard logger.logLevel <= .info else { return }
        var metadata: Logger.Metadata = [
            "request_id": .string(requestID),
            "method": .string(RouteMetrics.known(request.method).name),
            "route": .string(route?.template ?? "none"),
            "status": .stringConvertible(status.code),
            "duration_us": .stringConvertible(Int(duration / .microseconds(1))),
        ]
        if let code { metadata["code"] = .string(code) }
        if let trace { metadata["trace_id"] = .string(trace.traceID) }
        logger.info("request", metadata: metadata)
    }

    /// Of what no route saw, since it was no request.
    func write(refusing fault: RequestFault, _ status: HTTPResponse.Status, requestID: String) {
        guard logger.logLevel <= .info else { return }
        logger.info(
            "request",
            metadata: [
                "request_id": .string(requestID), "method": "other", "route": "none",
                "status": .stringConvertible(status.code), "detail": .string(fault.detail),
                "duration_us": .stringConvertible(0),
            ])
    }
}
