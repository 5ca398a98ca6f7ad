package import Formats
package import Logging

/// Log lines on standard error: a JSON object each, or text.
///
/// Nothing in a line acts on a terminal or begins another line: callers and providers bring much of what is logged.
package struct LineLogHandler: LogHandler {
    private let format: LogFormat
    /// Lines below it are not made.
    package var logLevel: Logger.Level
    /// Written with every line.
    package var metadata: Logger.Metadata = [:]

    /// Writes to `LogOutput.standardError`.
    package init(format: LogFormat, logLevel: Logger.Level) {
        self.format = format
        self.logLevel = logLevel
    }

    /// One value of `metadata`.
    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes an event, or drops it where nobody reads.
    package func log(event: LogEvent) {
        let now = Timestamp.now
        LogOutput.standardError.write(line(event, at: now)) { count in
            let loss = LogEvent(
                level: .error, message: "log lines were dropped, since nobody reads them in time", error: nil,
                metadata: ["count": .stringConvertible(count)], source: "", file: "", function: "", line: 0)
            return line(loss, at: now)
        }
    }

    /// The line of an event, with its end.
    package func line(_ event: LogEvent, at now: Timestamp) -> [UInt8] {
        var all = event.metadata ?? [:]
        if !metadata.isEmpty { all.merge(metadata) { own, _ in own } }
        if let error = event.error { all["error"] = "\(type(of: error))" }
        // Sorted, so that a name is where eyes and `cut` look for it.
        let members = all.sorted { $0.key < $1.key }
        switch format {
        case .json: return Self.json(event, members, at: now)
        case .text: return Self.text(event, members, at: now)
        }
    }

    private typealias Members = [(key: String, value: Logger.MetadataValue)]

    private static func json(_ event: LogEvent, _ members: Members, at now: Timestamp) -> [UInt8] {
        var json = JSONWriter()
        json.literal("{\"time\":")
        json.string(time(now))
        json.literal(",\"level\":")
        json.string(event.level.rawValue)
        json.literal(",\"message\":")
        json.string(event.message.description)
        for (name, value) in members {
            json.literal(",")
            json.string(name)
            json.literal(":")
            if case .stringConvertible(let number as Int) = value {
                json.number(Int64(number))
            } else {
                json.string(description(value))
            }
        }
        json.literal("}")
        let bytes = json.bytes
        // The writer escapes what JSON demands; a terminal acts on DEL and on some of what is beyond ASCII too.
        let isPlain = bytes.everyByte { $0 < 0x7F }
        var line = isPlain ? bytes : Array(String(decoding: bytes, as: UTF8.self).visibleJSON.utf8)
        line.append(0x0A)
        return line
    }

    private static func text(_ event: LogEvent, _ members: Members, at now: Timestamp) -> [UInt8] {
        var line = "\(time(now)) \(event.level.rawValue) \(event.message.description.visible)"
        for (name, value) in members {
            line += " \(name)="
            let text = description(value)
            if text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x22 }) {
                line += text
            } else {
                line += "\"\(escaped(text).visible)\""
            }
        }
        return Array(line.utf8) + [0x0A]
    }

    /// Neither a quotation mark of the value's own nor a backslash before ours ends the value. By bytes: to Swift's
    /// searches a mark before a combining character is another character.
    private static func escaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte == 0x22 || byte == 0x5C { bytes.append(0x5C) }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// As `MetadataValue.description`, which copies even plain text.
    private static func description(_ value: Logger.MetadataValue) -> String {
        if case .string(let text) = value { text } else { value.description }
    }

    /// A time as RFC 3339 § 5.6 has it, in UTC, to the millisecond. By hand: a formatter would cost more than the rest
    /// of the line.
    private static func time(_ now: Timestamp) -> String {
        let time = UTCTime(seconds: now.milliseconds / 1000)
        var text: [UInt8] = []
        func put(_ value: Int, width: Int, then separator: Unicode.Scalar) {
            var rest = value
            let start = text.count
            text += repeatElement(0x30, count: width)
            for index in stride(from: start + width - 1, through: start, by: -1) {
                text[index] = UInt8(0x30 + rest % 10)
                rest /= 10
            }
            text.append(UInt8(ascii: separator))
        }
        put(time.year, width: 4, then: "-")
        put(time.month, width: 2, then: "-")
        put(time.day, width: 2, then: "T")
        put(time.hour, width: 2, then: ":")
        put(time.minute, width: 2, then: ":")
        put(time.second, width: 2, then: ".")
        put(Int(now.milliseconds % 1000), width: 3, then: "Z")
        return String(decoding: text, as: UTF8.self)
    }
}
