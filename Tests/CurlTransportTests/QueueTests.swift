import Testing

@testable import CurlTransport

@Suite(.timeLimit(.minutes(5))) struct QueueTests {
    @Test func `requests beyond the limit wait, and time out in the queue`() async throws {
        try await withServer { connection in
            connection.hang()
        } body: { server in
            let transport = CurlTransport.forLoopback(timeout: .milliseconds(700), maxConcurrent: 2)
            let url = server.url()
            let errors = await within(.seconds(30)) {
                await withTaskGroup { group in
                    for _ in 0..<20 { group.addTask { await transport.outcome(url).error } }
                    return await group.reduce(into: []) { $0.append($1) }
                }
            }
            #expect(errors == Array(repeating: .timedOut, count: 20))
            // The two that ran, and those that got a free place in their last moment.
            #expect(server.acceptedCount < 20)
        }
    }

    @Test func `beyond the bound a request is refused at once`() async throws {
        try await withServer { connection in
            connection.hang()
        } body: { server in
            var configuration = CurlTransport.Configuration(allowInsecure: true, allowPrivateAddresses: true)
            configuration.maxConcurrent = 2
            configuration.maxWaiting = 8
            let transport = CurlTransport(configuration: configuration)
            let url = server.url()
            await withTaskGroup { group in
                for _ in 0..<50 { group.addTask { await transport.outcome(url).error } }
                for _ in 0..<40 { #expect(await group.next() == .overloaded) }
                await transport.shutdown()
                // Eight at least, and up to two that had begun by the time the others came.
                let rest = await group.reduce(into: []) { $0.append($1) }
                #expect(rest.filter { $0 == .cancelled }.count >= 8)
                #expect(rest.allSatisfy { $0 == .cancelled || $0 == .overloaded })
            }
        }
    }

    @Test func `a request that was cancelled takes no place in the queue`() async throws {
        let received = Counter()
        try await withServer { connection in
            _ = connection.readRequest()
            received.increment()
            connection.hang()
        } body: { server in
            var configuration = CurlTransport.Configuration(allowInsecure: true, allowPrivateAddresses: true)
            configuration.maxConcurrent = 1
            configuration.maxWaiting = 8
            let transport = CurlTransport(configuration: configuration)
            let url = server.url()
            let running = Task { await transport.outcome(url).error }
            await received.reaches(1)
            let first = Task { await transport.outcome(url).error }
            while transport.waitingCount < 1 { await Task.yield() }
            for _ in 0..<5 {
                let others = (0..<7).map { _ in Task { await transport.outcome(url).error } }
                while transport.waitingCount < 8 { await Task.yield() }
                #expect(await transport.outcome(url).error == .overloaded)
                for other in others { other.cancel() }
                for other in others { #expect(await other.value == .cancelled) }
                while transport.waitingCount > 1 { await Task.yield() }
            }
            await transport.shutdown()
            #expect(await running.value == .cancelled)
            #expect(await first.value == .cancelled)
        }
    }

    @Test func `no more than the limit run at once`() async throws {
        try await withServer { connection in
            connection.serve { _ in connection.respond("200 OK", [], "fine") }
        } body: { server in
            let transport = CurlTransport.forLoopback(maxConcurrent: 3)
            let url = server.url()
            await withTaskGroup { group in
                for _ in 0..<300 {
                    group.addTask { #expect(await transport.outcome(url).response?.text == "fine") }
                }
            }
            #expect(server.acceptedCount <= 3)
        }
    }

    @Test func `two thousand requests at once all get their own answer`() async throws {
        try await withServer { connection in
            connection.serve { request in connection.respond("200 OK", ["X-Target: \(request.target)"], request.target)
            }
        } body: { server in
            let transport = CurlTransport.forLoopback()
            let urls = (0..<2000).map { (target: "/\($0)", url: server.url("/\($0)")) }
            let right = await withTaskGroup { group in
                for (target, url) in urls {
                    group.addTask {
                        let response = await transport.outcome(url).response
                        return response?.text == target && response?.header("x-target") == target
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(right == 2000)
            #expect(server.acceptedCount <= 64)
        }
    }

    /// libcurl takes 0 for "no limit".
    @Test func `a timeout is never zero, negative or too long to add`() {
        #expect(Duration.zero.milliseconds == 1)
        #expect(Duration.seconds(-1).milliseconds == 1)
        #expect(Duration.nanoseconds(1).milliseconds == 1)
        #expect(Duration.microseconds(1001).milliseconds == 2)
        #expect(Duration.seconds(15).milliseconds == 15_000)
        #expect(Duration.seconds(Int64.max).milliseconds == 86_400_000)
    }

    @Test func `absurd limits are taken for the nearest sensible ones`() async throws {
        try await withServer { connection in
            connection.serve { _ in connection.respond("200 OK", [], "") }
        } body: { server in
            var configuration = CurlTransport.Configuration(allowInsecure: true, allowPrivateAddresses: true)
            configuration.maxConcurrent = -1
            configuration.maxResponseBytes = -1
            configuration.timeout = .seconds(Int64.max)
            configuration.connectTimeout = .seconds(Int64.max)
            #expect(await CurlTransport(configuration: configuration).outcome(server.url()).response?.status == 200)
            configuration.maxConcurrent = .max
            configuration.maxResponseBytes = .max
            #expect(await CurlTransport(configuration: configuration).outcome(server.url()).response?.status == 200)
        }
        try await withServer {
            $0.hang()
        } body: { server in
            let transport = CurlTransport.forLoopback(connectTimeout: .zero, timeout: .zero, maxConcurrent: 0)
            #expect(await transport.outcome(server.url()).error == .timedOut)
        }
    }
}
