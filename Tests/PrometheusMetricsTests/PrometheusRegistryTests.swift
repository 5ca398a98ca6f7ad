import CoreMetrics
import PrometheusMetrics
import Testing

@Suite struct PrometheusRegistryTests {
    private let registry = PrometheusRegistry([
        Family("jobs_total", .counter, help: "Jobs."), Family("size", .histogram([1, 2.5, 10]), help: "Sizes."),
        Family("level", .gauge, help: "A level."),
    ])

    private func lines(of name: String) -> [String] {
        registry.text.split(separator: "\n").map(String.init).filter { $0.hasPrefix(name) }
    }

    @Test func `what was declared is written in its order, also while it has no series`() {
        #expect(
            registry.text == """
                # HELP jobs_total Jobs.
                # TYPE jobs_total counter
                # HELP size Sizes.
                # TYPE size histogram
                # HELP level A level.
                # TYPE level gauge

                """)
    }

    @Test func `one set of labels is one series, in whatever order they come`() {
        Counter(label: "jobs_total", dimensions: [("a", "1"), ("b", "2")], factory: registry).increment(by: 2)
        Counter(label: "jobs_total", dimensions: [("b", "2"), ("a", "1")], factory: registry).increment()
        Counter(label: "jobs_total", dimensions: [("a", "0")], factory: registry).increment(by: 0)
        #expect(lines(of: "jobs_total") == [#"jobs_total{a="0"} 0"#, #"jobs_total{a="1",b="2"} 3"#])
    }

    @Test func `a histogram counts up to each bound and in all`() {
        let size = Recorder(label: "size", dimensions: [("of", "x")], aggregate: true, factory: registry)
        for value in [0.5, 1, 1.5, 2.5, 10, 11] { size.record(value) }
        #expect(
            lines(of: "size") == [
                #"size_bucket{of="x",le="1"} 2"#, #"size_bucket{of="x",le="2.5"} 4"#, #"size_bucket{of="x",le="10"} 5"#,
                #"size_bucket{of="x",le="+Inf"} 6"#, #"size_sum{of="x"} 26.5"#, #"size_count{of="x"} 6"#,
            ])
    }

    @Test func `a timer records seconds`() {
        let timer = CoreMetrics.Timer(label: "size", dimensions: [], factory: registry)
        timer.recordNanoseconds(1_500_000_000)
        #expect(lines(of: "size_sum") == ["size_sum 1.5"])
        #expect(lines(of: "size_bucket{le=\"2.5\"}") == ["size_bucket{le=\"2.5\"} 1"])
    }

    @Test func `a gauge is what it was set to last`() {
        let level = Gauge(label: "level", factory: registry)
        level.record(3)
        level.record(0.25)
        #expect(lines(of: "level") == ["level 0.25"])
        let meter = Meter(label: "level", factory: registry)
        meter.increment(by: 1)
        meter.decrement(by: 0.5)
        #expect(lines(of: "level") == ["level 0.75"])
    }

    @Test func `numbers are written as Prometheus reads them`() {
        let level = Gauge(label: "level", factory: registry)
        for (value, written) in [
            (0, "0"), (-1.5, "-1.5"), (1e15, "1000000000000000"), (1e300, "1e+300"), (1e-7, "1e-07"),
            (.infinity, "+Inf"),
            (-.infinity, "-Inf"), (.nan, "NaN"),
        ] as [(Double, String)] {
            level.record(value)
            #expect(lines(of: "level") == ["level \(written)"])
        }
    }

    @Test func `labels and words are escaped`() {
        let registry = PrometheusRegistry([Family("a", .gauge, help: "one\\two\nthree")])
        Gauge(label: "a", dimensions: [("l", "\"\\\n\u{0301}é")], factory: registry).record(1)
        #expect(
            registry.text == "# HELP a one\\\\two\\nthree\n# TYPE a gauge\na{l=\"\\\"\\\\\\n\u{0301}é\"} 1\n")
    }

    @Test func `a value can be read when it is asked for`() {
        registry.declare(Family("depth", .gauge, help: "Depth.")) { [Sample(7), Sample(8, [("of", "b")])] }
        #expect(lines(of: "depth") == ["depth 7", #"depth{of="b"} 8"#])
    }

    @Test func `a name that was used before gets its words by the declaration`() {
        Counter(label: "later_total", factory: registry).increment()
        registry.declare(Family("later_total", .counter, help: "Later.")) { [] }
        #expect(registry.text.hasSuffix("# HELP later_total Later.\n# TYPE later_total counter\nlater_total 1\n"))
    }

    @Test func `two declarations of one name that differ are a fault`() async {
        await #expect(processExitsWith: .failure) {
            let registry = PrometheusRegistry([Family("jobs_total", .counter, help: "Jobs.")])
            registry.declare(Family("jobs_total", .gauge, help: "Jobs.")) { [] }
        }
        await #expect(processExitsWith: .failure) {
            let registry = PrometheusRegistry([Family("jobs_total", .counter, help: "Jobs.")])
            registry.declare(Family("jobs_total", .counter, help: "Others.")) { [] }
        }
    }

    @Test func `a name of another kind does not spoil the family`() {
        Gauge(label: "jobs_total", factory: registry).record(5)
        Counter(label: "jobs_total", factory: registry).increment()
        #expect(lines(of: "jobs_total") == ["jobs_total 1"])
        Gauge(label: "jobs_total", factory: registry).record(5)
        #expect(lines(of: "jobs_total") == ["jobs_total 1"])
    }

    @Test func `nothing is lost where many count at once`() async {
        let counter = Counter(label: "jobs_total", factory: registry)
        let size = Recorder(label: "size", aggregate: true, factory: registry)
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<10_000 {
                        counter.increment()
                        size.record(0.5)
                    }
                }
            }
            group.addTask { [registry] in
                for _ in 0..<50 { #expect(!registry.text.isEmpty) }
            }
        }
        #expect(lines(of: "jobs_total") == ["jobs_total 80000"])
        #expect(lines(of: "size_count") == ["size_count 80000"])
        #expect(lines(of: "size_sum") == ["size_sum 40000"])
    }

    @Test func `the process tells what it uses`() throws {
        registry.declareProcess()
        func value(_ name: String) throws -> Double {
            try #require(lines(of: name + " ").first?.split(separator: " ").last.flatMap { Double($0) })
        }
        #expect(try value("process_resident_memory_bytes") > 1e6)
        #expect(try value("process_virtual_memory_bytes") > value("process_resident_memory_bytes"))
        #expect(try value("process_cpu_seconds_total") >= 0)
        #expect((3...100_000).contains(try value("process_open_fds")))
        #expect(try value("process_max_fds") >= value("process_open_fds"))
        #expect(try value("process_start_time_seconds") > 1.7e9)
    }
}
