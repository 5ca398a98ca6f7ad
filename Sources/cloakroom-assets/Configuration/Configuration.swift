import Daemon
import Formats
import HTTPService
import Logging
import Secrets

/// Everything that an operator decides, checked.
struct Configuration {
    /// The sizes of chunks, for assets whose callers name none.
    struct Chunking: Equatable {
        /// The most tokens of a chunk, 16 to 8192.
        var size = 512
        /// The tokens that a chunk may share with the one before: less than half of `size`.
        var overlap = 64
    }

    /// The work that is done at once.
    struct Workers: Equatable {
        /// Operations, of all tenants.
        var operations = 4
        /// Documents, of one operation.
        var documents = 4
    }

    /// The name of what the settings were read from, for messages.
    var origin: String
    /// The callers' address, the proxies before it, and the bounds of connections.
    var listener: ListenerSettings
    /// The pages of other origins that may call; none: no page may.
    var origins: [OriginPattern]
    var rules: BearerTokenVerifier.Rules
    var callerKeys: CallerKeys
    var storePath: String
    var keyRing: KeyRing
    /// Read again when it changes; the state is the one that `keyRing` was read from.
    var masterKeyFile: MasterKeyFile.State
    var broker: BrokerSettings
    var sources: SourceSettings
    var models: [ModelSettings]
    var chunking: Chunking
    var workers: Workers
    /// The most bytes of a file that is sent with `POST /assets:file`.
    var uploadBytes: Int
    var logLevel: Logger.Level
    var logFormat: LogFormat
    /// `nil`: no spans are made.
    var tracing: Tracing?
    /// Lines on what an operator should know but need not mend.
    var remarks: [String]
    /// The files that hold a secret.
    var secretFiles: [SecretFile]

    /// The folder of the files that callers sent.
    var uploadsPath: String { storePath + "-uploads" }

    /// A line each for what is allowed but dangerous: at start and in `check`.
    var warnings: [String] {
        remarks + secretFiles.compactMap(\.fault).map { "\($0); \(SecretFile.hint)" }
    }
}
