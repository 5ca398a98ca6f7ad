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
        var all = event.metadata ?? [:]
        if !metadata.isEmpty { all.merge(metadata) { own, _ in own } }
        if let error = event.error { all["error"] = "\(type(of: error))" }
        var members = Array(all)
        members.sort { $0.key < $1.key }
        var line: [UInt8] = []
        line.reserveCapacity(512)
        switch format {
        case .json:
            line += "{\"time\":\"".utf8
            Self.time(into: &line)
            line += "\",\"level\":\"".utf8
            line += event.level.rawValue.utf8
            line += "\",\"message\":".utf8
            Self.quote(event.message.description, into: &line)
            for (name, value) in members {
                line += ",".utf8
                Self.quote(name, into: &line)
                line += ":".utf8
                if case .stringConvertible(let number as Int) = value {
                    line += String(number).utf8
                } else {
                    Self.quote(Self.text(value), into: &line)
                }
            }
            line += "}\n".utf8
        case .text:
            Self.time(into: &line)
            line += " \(event.level.rawValue) \(event.message.description.visible)".utf8
            for (name, value) in members {
                line += " \(name)=".utf8
                let text = Self.text(value)
                if text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x22 }) {
                    line += text.utf8
                } else {
                    // A quotation mark of the value's own ends nothing; what is active is visible, as on a terminal.
                    line += "\"".utf8
                    for byte in text.visible.utf8 { line += byte == 0x22 ? [0x5C, byte] : [byte] }
                    line += "\"".utf8
                }
            }
            line += "\n".utf8
        }
        // One call a line: lines of several threads do not mix, and none is lost in a crash.
        _ = write(STDERR_FILENO, line, line.count)
    }

    /// As `description`, which copies even plain text.
    private static func text(_ value: Logger.MetadataValue) -> String {
        if case .string(let text) = value { text } else { value.description }
    }

    /// A JSON string (RFC 8259 § 7). What a terminal would act on is escaped too.
    private static func quote(_ text: String, into line: inout [UInt8]) {
        let start = line.count
        line += "\"".utf8
        for byte in text.utf8 {
            switch byte {
            case 0x22: line += "\\\"".utf8
            case 0x5C: line += "\\\\".utf8
            case 0x0A: line += "\\n".utf8
            case 0..<0x20, 0x7F:
                line += "\\u00".utf8
                line += [byte >> 4, byte & 0xF].map { $0 < 10 ? 0x30 + $0 : 0x57 + $0 }
            default: line.append(byte)
            }
        }
        if text.utf8.contains(where: { $0 >= 0x80 }) {
            line.replaceSubrange(start..., with: String(decoding: line[start...], as: UTF8.self).visibleJSON.utf8)
        }
        line += "\"".utf8
    }

    /// Now, in UTC (RFC 3339), to the millisecond.
    private static func time(into line: inout [UInt8]) {
        let now = Timestamp.now.milliseconds
        var seconds = time_t(now / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func put(_ value: Int, _ width: Int, then separator: Unicode.Scalar) {
            var rest = value
            let start = line.count
            line += repeatElement(0x30, count: width)
            for index in stride(from: start + width - 1, through: start, by: -1) {
                line[index] = UInt8(0x30 + rest % 10)
                rest /= 10
            }
            line.append(UInt8(ascii: separator))
        }
        put(Int(parts.tm_year) + 1900, 4, then: "-")
        put(Int(parts.tm_mon) + 1, 2, then: "-")
        put(Int(parts.tm_mday), 2, then: "T")
        put(Int(parts.tm_hour), 2, then: ":")
        put(Int(parts.tm_min), 2, then: ":")
        put(Int(parts.tm_sec), 2, then: ".")
        put(Int(now % 1000), 3, then: "Z")
    }
}
