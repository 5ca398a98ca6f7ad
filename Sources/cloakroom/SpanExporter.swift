import Broker
import CurlTransport
import Logging
import OTLPTracing
import ServiceLifecycle

/// Sends spans to the operator's collector, every second.
struct SpanExporter: ServiceLifecycle.Service {
    let tracer: OTLPTracer
    let queue: SpanQueue
    private let logger: Logger

    /// One of its own: a collector that hangs keeps no request to a provider waiting.
    static func transport() -> CurlTransport {
        var configuration = CurlTransport.Configuration()
        configuration.connectTimeout = .seconds(1)
        configuration.timeout = .seconds(2)
        // The operator named it, beside the broker most often; no caller has a say in where it is.
        configuration.allowInsecure = true
        configuration.allowPrivateAddresses = true
        return CurlTransport(configuration: configuration)
    }

    static func request(to tracing: Configuration.Tracing, _ body: [UInt8]) -> ProviderRequest {
        ProviderRequest(
            method: .post, url: tracing.endpoint, headers: [("Content-Type", "application/json")], body: body)
    }

    init(_ tracing: Configuration.Tracing, logger: Logger) {
        let transport = Self.transport()
        let queue = SpanQueue(service: "cloakroom", version: Cloakroom.version) { body in
            guard let response = try? await transport.send(Self.request(to: tracing, body)) else { return false }
            return (200..<300).contains(response.status)
        }
        self.queue = queue
        tracer = OTLPTracer(sampleRatio: tracing.sampleRatio) { queue.add($0) }
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var isTaken = true
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                // What is being sent is not given up.
                let sending = Task { await queue.flush() }
                let wasTaken = isTaken
                isTaken = await sending.value
                if wasTaken, !isTaken {
                    logger.warning("the collector accepts no spans, which are dropped; see tracing.endpoint")
                } else if isTaken, !wasTaken {
                    logger.notice("the collector accepts spans again")
                }
            }
        }
        // Started first, stopped last: nothing makes spans any more.
        _ = await queue.flush()
    }
}
