/// A pair of a query or form body, as far as it can be read.
package struct FormPair: Sendable {
    /// The name for people to read: repaired where it has to be.
    package let name: String
    /// The value, repaired likewise.
    package let value: String
    /// Nothing had to be repaired, so that what stands here is what was meant. Only then may anything depend on it.
    package let isSound: Bool
    /// Both decoded, and in the bytes that came: what a signature is over.
    package let bytes: (name: [UInt8], value: [UInt8])

    init(_ name: [UInt8], _ value: [UInt8], isWhole: Bool) {
        let (soundName, soundValue) = (String(untrusted: name), String(untrusted: value))
        self.name = soundName ?? String(repairing: name)
        self.value = soundValue ?? String(repairing: value)
        // U+FFFD: somebody before us repaired it.
        isSound = isWhole && soundName != nil && soundValue?.unicodeScalars.contains("\u{FFFD}") == false
        bytes = (name, value)
    }
}
