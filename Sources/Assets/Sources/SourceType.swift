/// A type of source that can be ingested, without its reader.
public struct SourceType: Sendable {
    /// The need for credentials.
    public enum Authorization: String, Sendable {
        case none
        case optional
        case required
    }

    /// A name such as `google_drive`; the broker's, where the broker knows it.
    public var name: String
    public var displayName: String
    /// The broker's word for a kind of product, such as `drive`.
    public var category: String
    public var properties: [SourceProperty]
    public var authorization: Authorization

    public init(
        name: String, displayName: String, category: String, properties: [SourceProperty],
        authorization: Authorization
    ) {
        self.name = name
        self.displayName = displayName
        self.category = category
        self.properties = properties
        self.authorization = authorization
    }
}

/// A parameter of a source type.
public struct SourceProperty: Sendable, Hashable {
    /// The kind of a value, as JSON has it.
    public enum Kind: String, Sendable {
        case string
        case boolean
        case integer
    }

    /// The form of a value, beyond its kind.
    public enum Form: Sendable, Hashable {
        /// Any text of 1 to 2048 bytes without control characters, or any flag.
        case any
        /// An absolute http or https address.
        case webAddress
        /// `owner/name`, as GitHub has it.
        case repository
        /// The name of a branch, tag or commit (git-check-ref-format).
        case gitReference
        /// A number within these bounds.
        case within(ClosedRange<Int>)
    }

    public var name: String
    public var kind: Kind
    public var form: Form
    public var isRequired: Bool
    public var description: String
    /// The value where none is given.
    public var defaultValue: ParameterValue?

    public init(
        _ name: String, _ kind: Kind, form: Form = .any, isRequired: Bool = false,
        default defaultValue: ParameterValue? = nil, description: String
    ) {
        self.name = name
        self.kind = kind
        self.form = form
        self.isRequired = isRequired
        self.defaultValue = defaultValue
        self.description = description
    }
}

/// The value of a source's parameter.
public enum ParameterValue: Sendable, Hashable {
    case string(String)
    case boolean(Bool)
    case integer(Int)
}
