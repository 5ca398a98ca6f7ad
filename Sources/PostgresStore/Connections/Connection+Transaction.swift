extension Connection {
    /// Runs statements in one transaction, which is on the disk when this returns: their answers.
    func transaction(_ statements: [(Statement, [Parameter])]) throws(PostgresFailure) -> [QueryResult] {
        try send(.begin)
        return try finish(statements, behind: 1)
    }

    /// Runs the last statements of a transaction, and commits it.
    ///
    /// - Parameter count: the statements that were sent before, and not read.
    func finish(
        _ statements: [(Statement, [Parameter])], behind count: Int = 0
    ) throws(PostgresFailure) -> [QueryResult] {
        deadline = .now + patience
        for (statement, parameters) in statements { try send(statement, parameters) }
        try send(.commit)
        try sync()
        do throws(PostgresFailure) {
            for _ in 0..<count { _ = try next() }
            var answers: [QueryResult] = []
            for _ in statements { answers.append(try next()) }
            let tag = try next().tag
            try endSync()
            // A transaction that failed answers a COMMIT with another one.
            guard tag == "COMMIT" else { throw .refused(SQLState("25P02")) }
            return answers
        } catch {
            if !error.endsConnection { try recover() }
            throw error
        }
    }
}
