package import CurlTransport
import Formats
package import Logging
package import OTLPTracing
import ServiceLifecycle
package import Transport

/// Sends spans to the operator's collector, every second.
package struct SpanExporter: ServiceLifecycle.Service {
    /// Makes the spans that are sent.
    package let tracer: OTLPTracer
    /// Those that wait to be sent.
    package let queue: SpanQueue
    private let logger: Logger
    private let failure: LastFailure

    /// The reason why the collector did not take what was sent last.
    private actor LastFailure {
        private(set) var reason = "not told"

        func keep(_ reason: String) { self.reason = reason }
    }

    /// One of its own: a collector that hangs keeps no other request waiting.
    package static func transport() -> CurlTransport {
        var configuration = CurlTransport.Configuration()
        configuration.connectTimeout = .seconds(1)
        configuration.timeout = .seconds(2)
        // The operator named it, beside the service most often; no caller has a say in where it is.
        configuration.allowInsecure = true
        configuration.allowPrivateAddresses = true
        return CurlTransport(configuration: configuration)
    }

    /// An export of spans (OTLP 1.x, HTTP with JSON). The collector's answer is looked at for its status alone.
    package static func request(to tracing: Tracing, _ body: [UInt8]) -> TransportRequest {
        TransportRequest(
            method: .post, url: tracing.endpoint, headers: [("Content-Type", "application/json")], body: body)
    }

    /// - Parameters:
    ///   - service: the service's name in spans (OpenTelemetry, `service.name`).
    ///   - version: the service's version.
    package init(_ tracing: Tracing, service: String, version: String, logger: Logger) {
        let transport = Self.transport()
        let failure = LastFailure()
        self.failure = failure
        let queue = SpanQueue(service: service, version: version) { body in
            do throws(TransportError) {
                let response = try await transport.send(Self.request(to: tracing, body))
                if (200..<300).contains(response.status) { return true }
                await failure.keep("it answered \(response.status)")
            } catch {
                await failure.keep(error.words)
            }
            return false
        }
        self.queue = queue
        tracer = OTLPTracer(sampleRatio: tracing.sampleRatio) { queue.add($0) }
        self.logger = logger
    }

    /// Sends until the group that it belongs to stops, and then what is left.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            // One line for each change, however many batches fail in between.
            var isTaken = true
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                // What is being sent is not given up.
                let sending = Task { await queue.flush() }
                let wasTaken = isTaken
                isTaken = await sending.value
                if wasTaken, !isTaken {
                    let reason = await failure.reason
                    logger.warning(
                        "the collector accepts no spans, which are dropped; see tracing.endpoint",
                        metadata: ["reason": "\(reason)"])
                } else if isTaken, !wasTaken {
                    logger.notice("the collector accepts spans again")
                }
            }
        }
        // Started first, stopped last: nothing makes spans any more.
        _ = await queue.flush()
    }
}
