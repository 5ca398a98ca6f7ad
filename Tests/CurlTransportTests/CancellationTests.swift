import CurlTransport
import Testing

@Suite(.timeLimit(.minutes(5))) struct CancellationTests {
    @Test func `a request of a task that is already cancelled is not sent`() async throws {
        let requests = Counter()
        try await withServer { connection in
            connection.serve { _ in
                requests.increment()
                connection.respond()
            }
        } body: { server in
            let transport = CurlTransport.forLoopback()
            _ = try await transport.get(server.url())
            let url = server.url()
            // Many times: whether the thread hears of the cancellation or of the request first is a race.
            for _ in 0..<500 {
                let task = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    return await transport.outcome(url).error
                }
                #expect(await task.value == .cancelled)
            }
            _ = try await transport.get(server.url())
            #expect(requests.value == 2)
        }
    }

    @Test func `a running request is cancelled, and its connection is closed`() async throws {
        let received = Counter()
        let closed = Counter()
        try await withServer { connection in
            _ = connection.readRequest()
            received.increment()
            connection.hang()
            closed.increment()
        } body: { server in
            let transport = CurlTransport.forLoopback()
            let url = server.url()
            let task = Task { await transport.outcome(url).error }
            await received.reaches(1)
            task.cancel()
            let error = await within(.seconds(30)) { await task.value }
            #expect(error == .cancelled)
            await within(.seconds(30)) { await closed.reaches(1) }
        }
    }

    @Test func `a request in the queue is cancelled, and the others are not`() async throws {
        let received = Counter()
        try await withServer { connection in
            connection.serve { request in
                received.increment()
                if request.target == "/hang" { connection.hang() } else { connection.respond("200 OK", [], "fine") }
            }
        } body: { server in
            let transport = CurlTransport.forLoopback(maxConcurrent: 1)
            let (hang, other) = (server.url("/hang"), server.url("/other"))
            let running = Task { await transport.outcome(hang).error }
            await received.reaches(1)
            let waiting = Task { await transport.outcome(other).error }
            let next = Task { await transport.outcome(other).response?.text }
            waiting.cancel()
            #expect(await waiting.value == .cancelled)
            running.cancel()
            #expect(await running.value == .cancelled)
            #expect(await next.value == "fine")
        }
    }

    @Test func `cancelling at any moment answers every request once`() async throws {
        try await withServer { connection in
            connection.serve { _ in connection.respond("200 OK", [], "fine") }
        } body: { server in
            let transport = CurlTransport.forLoopback(maxConcurrent: 8)
            let url = server.url()
            let outcomes = await withTaskGroup { group in
                for index in 0..<500 {
                    group.addTask {
                        let task = Task { await transport.outcome(url) }
                        for _ in 0..<(index % 7) { await Task.yield() }
                        task.cancel()
                        return await task.value
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count == 500)
            #expect(outcomes.allSatisfy { $0.error == .cancelled || $0.response?.text == "fine" })
        }
    }

    // MARK: Shutdown

    @Test func `shutdown answers running and waiting requests as cancelled`() async throws {
        let received = Counter()
        try await withServer { connection in
            _ = connection.readRequest()
            received.increment()
            connection.hang()
        } body: { server in
            let transport = CurlTransport.forLoopback(maxConcurrent: 2)
            let url = server.url()
            let tasks = (0..<5).map { _ in Task { await transport.outcome(url).error } }
            await received.reaches(2)
            await within(.seconds(30)) {
                await transport.shutdown()
                for task in tasks { #expect(await task.value == .cancelled) }
            }
        }
    }

    @Test func `after shutdown every request is cancelled, and a second shutdown does nothing`() async throws {
        try await withServer { connection in
            connection.serve { _ in connection.respond() }
        } body: { server in
            let transport = CurlTransport.forLoopback()
            _ = try await transport.get(server.url())
            await transport.shutdown()
            await transport.shutdown()
            #expect(await transport.outcome(server.url()).error == .cancelled)
        }
    }

    @Test func `a transport that is let go closes its connections`() async throws {
        let closed = Counter()
        try await withServer { connection in
            connection.serve { _ in connection.respond() }
            closed.increment()
        } body: { server in
            for _ in 0..<20 { _ = try await CurlTransport.forLoopback().get(server.url()) }
            await within(.seconds(30)) { await closed.reaches(20) }
        }
    }
}
