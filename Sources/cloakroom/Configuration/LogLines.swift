import Broker
import Foundation
import Logging

/// Log lines on standard error: a JSON object each, or text.
struct LogLines: LogHandler {
    let format: Configuration.LogFormat
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let own = event.metadata { all.merge(own) { _, new in new } }
        if let error = event.error { all["error"] = "\(type(of: error))" }
        let members = all.sorted { $0.key < $1.key }
        var line: String
        switch format {
        case .json:
            line = "{\"time\":\"\(Self.time())\",\"level\":\"\(event.level)\",\"message\":"
            Self.quote(event.message.description, into: &line)
            for (name, value) in members {
                line += ","
                Self.quote(name, into: &line)
                line += ":"
                if case .stringConvertible(let number as Int) = value {
                    line += String(number)
                } else {
                    Self.quote(value.description, into: &line)
                }
            }
            line += "}\n"
        case .text:
            line = "\(Self.time()) \(event.level) \(event.message)"
            for (name, value) in members {
                line += " \(name)="
                let text = value.description
                if text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x22 }) {
                    line += text
                } else {
                    Self.quote(text, into: &line)
                }
            }
            line += "\n"
        }
        // One call a line: lines of several threads do not mix, and none is lost in a crash.
        line.withUTF8 { bytes in _ = write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
    }

    /// A JSON string (RFC 8259 § 7).
    private static func quote(_ text: String, into line: inout String) {
        line += "\""
        defer { line += "\"" }
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C && $0 < 0x7F }) {
            line += text
            return
        }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": line += "\\\""
            case "\\": line += "\\\\"
            case "\n": line += "\\n"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let hex = String(scalar.value, radix: 16)
                line += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: line.unicodeScalars.append(scalar)
            }
        }
    }

    /// Now, in UTC (RFC 3339), to the millisecond.
    private static func time() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        return String(unsafeUninitializedCapacity: 24) { output in
            var written = 0
            func put(_ value: Int, _ width: Int, then separator: Character) {
                var rest = value
                for index in stride(from: written + width - 1, through: written, by: -1) {
                    output[index] = UInt8(0x30 + rest % 10)
                    rest /= 10
                }
                output[written + width] = separator.asciiValue ?? 0
                written += width + 1
            }
            put(Int(parts.tm_year) + 1900, 4, then: "-")
            put(Int(parts.tm_mon) + 1, 2, then: "-")
            put(Int(parts.tm_mday), 2, then: "T")
            put(Int(parts.tm_hour), 2, then: ":")
            put(Int(parts.tm_min), 2, then: ":")
            put(Int(parts.tm_sec), 2, then: ".")
            put(now.tv_nsec / 1_000_000, 3, then: "Z")
            return written
        }
    }
}
