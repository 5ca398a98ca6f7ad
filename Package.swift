// swift-tools-version: 6.2
import PackageDescription

/// Swift 6 mode for every target; a warning is an error.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "cloakroom",
    products: [
        .executable(name: "cloakroom", targets: ["cloakroom"]),
        .executable(name: "cloakroom-assets", targets: ["cloakroom-assets"]),
        // What any asset service in Swift needs of the broker: `import BrokerClient`, and `import CurlTransport` for those
        // who have no HTTP of their own.
        .library(name: "BrokerClient", targets: ["BrokerClient", "CurlTransport", "Formats", "Secrets", "Transport"]),
    ],
    dependencies: [
        // The HTTP server, its router, and its in-process test client.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        // Pages: logic-free templates, escaped by default.
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        // SQLite: statements, rows, migrations.
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        // YAML: the catalog and the configuration file.
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        // The command line.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // One logging interface for us and our dependencies.
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        // One interface to count by; what is counted is written by PrometheusMetrics.
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        // One interface to trace by; spans are sent by OTLPTracing.
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        // The task's context, which tells what span it is part of.
        .package(url: "https://github.com/apple/swift-service-context", from: "1.5.1"),
        // Header names and statuses shared with Hummingbird.
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        // Byte buffers, loopback sockets, and what stands between a connection and Hummingbird.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        // A queue whose first element costs as little as its last. NIO brings it along.
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        // Starting and graceful stopping.
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // C libraries of the system.
        .target(name: "COpenSSL", linkerSettings: [.linkedLibrary("crypto")]),
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .target(
            name: "CPostgres", linkerSettings: [.linkedLibrary("pq")]),
        .target(name: "CZlib", linkerSettings: [.linkedLibrary("z")]),
        .target(name: "CSQLite", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(name: "CZip", linkerSettings: [.linkedLibrary("zip")]),
        .target(name: "CSpawn"),

        // Readers and writers of what crosses the wire: bounded, linear, by the RFCs.
        .target(name: "Formats", swiftSettings: strict),
        .target(name: "Secrets", dependencies: ["COpenSSL"], swiftSettings: strict),
        .target(name: "Transport", dependencies: ["CZlib", "Formats"], swiftSettings: strict),
        .target(
            name: "StrictYAML", dependencies: ["Formats", .product(name: "Yams", package: "Yams")],
            swiftSettings: strict),
        .target(
            name: "Catalog",
            dependencies: ["Formats", "Secrets", "StrictYAML", .product(name: "Yams", package: "Yams")],
            resources: [.embedInCode("Data")],
            swiftSettings: strict),
        .target(name: "JOSE", dependencies: ["Formats", "Secrets", "Transport"], swiftSettings: strict),
        .target(
            name: "Broker", dependencies: ["Catalog", "Formats", "JOSE", "Secrets", "Transport"], swiftSettings: strict),
        .target(
            name: "CurlTransport",
            dependencies: [
                "CCurl", "Formats", "Secrets", "Transport", .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: strict),
        .target(name: "GroupedWriter", swiftSettings: strict),
        // What every store of the broker does alike, whatever its engine.
        .target(
            name: "StoreParts", dependencies: ["Broker", "Catalog", "Formats", "Secrets"], swiftSettings: strict),
        .target(
            name: "SQLiteStore",
            dependencies: [
                "Broker", "CSQLite", "Catalog", "Formats", "GroupedWriter", "Secrets", "StoreParts",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .target(
            name: "PostgresStore",
            dependencies: ["Broker", "CPostgres", "Catalog", "Formats", "Secrets", "StoreParts"],
            swiftSettings: strict),
        .target(
            name: "Templates", path: "Templates",
            // The rest of the folder that npm takes.
            exclude: ["Connect/package.json", "Connect/README.md"],
            resources: [
                .embedInCode("Pages"), .embedInCode("Connect/connect.js"), .embedInCode("Connect/connect.d.ts"),
            ],
            swiftSettings: strict),
        .target(
            name: "PrometheusMetrics",
            dependencies: ["Secrets", .product(name: "CoreMetrics", package: "swift-metrics")],
            swiftSettings: strict),
        .target(
            name: "OTLPTracing",
            dependencies: [
                "Formats",
                "Secrets",
                .product(name: "ServiceContextModule", package: "swift-service-context"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: strict),
        .target(
            name: "HTTPService",
            dependencies: [
                "Formats", "JOSE", "OTLPTracing", "PrometheusMetrics", "Secrets", "Transport",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceContextModule", package: "swift-service-context"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: strict),
        .target(
            name: "BrokerServer",
            dependencies: [
                "Broker", "Catalog", "Formats", "HTTPService", "JOSE", "OTLPTracing", "PrometheusMetrics", "Secrets",
                "Templates", "Transport",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Mustache", package: "swift-mustache"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceContextModule", package: "swift-service-context"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            resources: [.embedInCode("API")],
            swiftSettings: strict),
        // A service as a process: its settings from file and environment, its keys, log, terminal, listeners and end.
        .target(
            name: "Daemon",
            dependencies: [
                "CurlTransport", "Formats", "HTTPService", "JOSE", "OTLPTracing", "PrometheusMetrics", "Secrets",
                "StrictYAML", "Transport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),
        .target(
            name: "Sandbox",
            dependencies: [
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            resources: [.embedInCode("Pages"), .embedInCode("Drive/Files")],
            swiftSettings: strict),
        .executableTarget(
            name: "cloakroom",
            dependencies: [
                "Broker", "BrokerServer", "Catalog", "CurlTransport", "Daemon", "Formats", "HTTPService", "JOSE",
                "OTLPTracing", "PostgresStore", "PrometheusMetrics", "SQLiteStore", "Sandbox", "Secrets", "StoreParts",
                "StrictYAML", "Transport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceContextModule", package: "swift-service-context"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),

        // The asset service: the broker's consumer, of which the broker knows nothing.
        .target(
            name: "BrokerClient", dependencies: ["Formats", "JOSE", "Secrets", "Transport"], swiftSettings: strict),
        .target(name: "Assets", dependencies: ["Formats", "Secrets"], swiftSettings: strict),
        .target(
            name: "AssetReaders", dependencies: ["Assets", "CSpawn", "CZip", "Formats", "Secrets", "Transport"],
            resources: [.embedInCode("Data")],
            swiftSettings: strict),
        .target(
            name: "AssetStore",
            dependencies: [
                "Assets", "CSQLite", "Formats", "GroupedWriter", "Secrets",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .target(
            name: "AssetServer",
            dependencies: [
                "AssetReaders", "Assets", "BrokerClient", "Formats", "HTTPService", "JOSE", "OTLPTracing",
                "PrometheusMetrics", "Secrets", "Transport",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceContextModule", package: "swift-service-context"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            resources: [.embedInCode("API")],
            swiftSettings: strict),
        .executableTarget(
            name: "cloakroom-assets",
            dependencies: [
                "AssetReaders", "AssetServer", "AssetStore", "Assets", "BrokerClient", "CurlTransport", "Daemon",
                "Formats", "HTTPService", "JOSE", "OTLPTracing", "PrometheusMetrics", "Secrets", "StrictYAML",
                "Transport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),

        // Measures the product from outside, beside what its parts reach alone. Not part of it.
        .executableTarget(
            name: "bench",
            dependencies: [
                "CurlTransport", "Formats", "JOSE", "Secrets", "Transport",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Hummingbird", package: "hummingbird"),
            ],
            path: "Benchmarks",
            exclude: ["functions.order"],
            swiftSettings: strict),

        // What the tests of more than one target wait by.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(
            name: "SecretsTests",
            dependencies: ["COpenSSL", "Secrets", "TestSupport", .product(name: "Logging", package: "swift-log")]),
        .testTarget(name: "FormatsTests", dependencies: ["Catalog", "Formats", "StrictYAML", "TestSupport"]),
        .testTarget(name: "JOSETests", dependencies: ["Formats", "JOSE", "Secrets", "TestSupport", "Transport"]),
        .testTarget(
            name: "BrokerTests",
            dependencies: [
                "Broker", "Catalog", "Formats", "JOSE", "Secrets", "StrictYAML", "TestSupport", "Transport",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(name: "CurlTransportTests", dependencies: ["CurlTransport", "Formats", "Transport"]),
        .testTarget(
            name: "SQLiteStoreTests",
            dependencies: [
                "Broker", "Catalog", "Formats", "PostgresStore", "SQLiteStore", "Secrets", "StoreParts", "StrictYAML",
                "TestSupport", "Transport",
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        .testTarget(
            name: "HTTPServiceTests",
            dependencies: [
                "Formats", "HTTPService", "Secrets", "TestSupport",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        .testTarget(
            name: "BrokerServerTests",
            dependencies: [
                "Broker", "BrokerServer", "Catalog", "Formats", "HTTPService", "JOSE", "OTLPTracing",
                "PrometheusMetrics", "SQLiteStore", "Secrets", "StrictYAML", "TestSupport", "Transport",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]),
        .testTarget(
            name: "DaemonTests",
            dependencies: [
                "Daemon", "Formats", "Secrets", "StrictYAML",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "BrokerClientTests",
            dependencies: ["BrokerClient", "Formats", "JOSE", "Secrets", "TestSupport", "Transport"]),
        .testTarget(name: "AssetsTests", dependencies: ["Assets", "Formats", "Secrets", "TestSupport"]),
        // The child that takes Word documents apart, without the service around it.
        .executableTarget(
            name: "docx-child", dependencies: ["AssetReaders"], path: "Tests/DocxChild", swiftSettings: strict),
        .testTarget(
            name: "AssetReadersTests",
            dependencies: [
                "AssetReaders", "Assets", "Formats", "Secrets", "TestSupport", "Transport", "docx-child",
            ]),
        .testTarget(
            name: "AssetStoreTests",
            dependencies: [
                "AssetStore", "Assets", "Formats", "Secrets", "TestSupport",
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        // The ingestion on the real store: the domain's own tests have none.
        .testTarget(
            name: "IngestionTests",
            dependencies: ["AssetStore", "Assets", "Formats", "Secrets", "TestSupport"]),
        .testTarget(
            name: "AssetServerTests",
            dependencies: [
                "AssetReaders", "AssetServer", "AssetStore", "Assets", "BrokerClient", "Formats", "HTTPService",
                "JOSE", "OTLPTracing", "Secrets", "TestSupport", "Transport",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ]),
        .testTarget(
            name: "OTLPTracingTests",
            dependencies: [
                "OTLPTracing",
                .product(name: "ServiceContextModule", package: "swift-service-context"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ]),
        .testTarget(
            name: "PrometheusMetricsTests",
            dependencies: ["PrometheusMetrics", .product(name: "CoreMetrics", package: "swift-metrics")]),
        .testTarget(
            name: "SandboxTests",
            dependencies: [
                "Sandbox",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]),
        .testTarget(
            name: "ProviderTests",
            dependencies: [
                "Broker", "Catalog", "CurlTransport", "Formats", "JOSE", "Sandbox", "Secrets", "SQLiteStore",
                "StrictYAML", "Transport",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
            ],
            resources: [.copy("Requirements")]),
        .testTarget(
            name: "CloakroomTests",
            dependencies: [
                "Broker", "BrokerServer", "Catalog", "CurlTransport", "Daemon", "Formats", "HTTPService", "JOSE",
                "PostgresStore", "SQLiteStore", "Secrets", "StoreParts", "StrictYAML", "Transport", "cloakroom",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "CloakroomAssetsTests",
            dependencies: [
                "Assets", "Daemon", "Formats", "HTTPService", "JOSE", "Secrets", "cloakroom-assets",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
