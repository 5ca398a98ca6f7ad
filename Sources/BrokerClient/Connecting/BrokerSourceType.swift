import Formats

/// A source type, as the broker lists it.
public struct BrokerSourceType: Sendable, Hashable {
    /// Such as `google_drive`.
    public let name: String
    public let displayName: String
    /// A word for the kind of product, such as `drive`.
    public let category: String
    /// The tenant could connect one now.
    public let isConfigured: Bool
    /// The facts that a connection needs; `nil` where there is nothing to connect by OAuth.
    public let oauth: OAuth?

    public struct OAuth: Sendable, Hashable {
        /// The scopes of a connection whose starter names none.
        public let scopes: [String]
        public let parameters: [Parameter]

        init?(_ value: JSONValue) {
            guard case .object(let members) = value, case .array(let scopes)? = members["scopes"],
                case .array(let parameters)? = members["parameters"]
            else { return nil }
            self.scopes = scopes.compactMap(\.string)
            self.parameters = parameters.compactMap { Parameter($0) }
            guard self.scopes.count == scopes.count, self.parameters.count == parameters.count else { return nil }
        }
    }

    /// A value that a person gives before the connection starts, such as a subdomain.
    public struct Parameter: Sendable, Hashable {
        public let name: String
        public let description: String
        /// A regular expression that the broker matches against the whole value.
        public let pattern: String
        public let isRequired: Bool

        init?(_ value: JSONValue) {
            guard case .object(let members) = value, let name = members["name"]?.string,
                let description = members["description"]?.string, let pattern = members["pattern"]?.string,
                case .bool(let isRequired)? = members["required"]
            else { return nil }
            self.name = name
            self.description = description
            self.pattern = pattern
            self.isRequired = isRequired
        }
    }

    init?(_ value: JSONValue) {
        guard case .object(let members) = value, let name = members["type"]?.string,
            let displayName = members["displayName"]?.string, let category = members["category"]?.string,
            case .bool(let isConfigured)? = members["configured"]
        else { return nil }
        switch members["oauth"] {
        case nil, .null?: oauth = nil
        case let value?:
            guard let read = OAuth(value) else { return nil }
            oauth = read
        }
        self.name = name
        self.displayName = displayName
        self.category = category
        self.isConfigured = isConfigured
    }
}
