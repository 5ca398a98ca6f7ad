/// A type whose values hold secrets: they print, dump, mirror and interpolate as their type's name alone.
///
/// For what is made of many members, and for text that only its reader takes apart. A single secret is a `Secret`.
public protocol Redacted: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {}

extension Redacted {
    /// Names the type, and shows nothing of the value.
    public var description: String { "[redacted \(Self.self)]" }
    /// The same as `description`.
    public var debugDescription: String { description }
    /// Empty, for the same reason as `Secret`'s.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
