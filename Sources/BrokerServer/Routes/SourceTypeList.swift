public import Broker
public import Catalog
import Formats

/// The answer of `assets:sourceTypes`, and what `cloakroom sources --json` prints.
public struct SourceTypeList: Encodable, Sendable {
    /// One source type, configured or not.
    public struct Item: Encodable, Sendable {
        /// The name that `assets:authorize` takes as `sourceType`.
        public let type: String
        /// The name that people know it by.
        public let displayName: String
        /// A word such as `drive`, `wiki` or `chat`.
        public let category: String
        /// False: there is nothing to connect by OAuth, and `oauth` is `null`.
        public let supportsOAuth: Bool
        /// A flow could start now: a client id is known. Always true without OAuth.
        public let configured: Bool
        /// The facts that a flow needs; `nil` without OAuth.
        public let oauth: OAuth?

        enum Key: CodingKey { case type, displayName, category, supportsOAuth, configured, oauth }

        // `oauth` is `null`, not left out, where there is none.
        public func encode(to encoder: any Encoder) throws {
            var members = encoder.container(keyedBy: Key.self)
            try members.encode(type, forKey: .type)
            try members.encode(displayName, forKey: .displayName)
            try members.encode(category, forKey: .category)
            try members.encode(supportsOAuth, forKey: .supportsOAuth)
            try members.encode(configured, forKey: .configured)
            try members.encode(oauth, forKey: .oauth)
        }
    }

    /// The facts that a frontend needs to start a flow.
    public struct OAuth: Encodable, Sendable {
        /// The scopes of a flow whose caller names none; placeholders unfilled.
        public let scopes: [String]
        /// Those that a caller gives, sorted by name. Those that only the operator sets are left out.
        public let parameters: [Parameter]
    }

    /// One field of the frontend's form.
    public struct Parameter: Encodable, Sendable {
        /// The key in `parameters` of `assets:authorize`.
        public let name: String
        /// The field's label, in English; may be empty.
        public let description: String
        /// A regular expression that the broker matches against the whole value (Docs/Catalog.md#patterns).
        public let pattern: String
        /// A call without the value is refused, unless the catalog has a default.
        public let required: Bool
    }

    /// Every source type of the catalog, sorted by name.
    public let items: [Item]
    /// The number of `items`: the list has no pages.
    public let totalCount: Int

    /// - Parameters:
    ///   - servers: those that may be connected where a caller names one.
    ///   - client: the client that a flow of a source type would have; `nil` where none is set.
    public init(_ catalog: Catalog, opening servers: ResourceServers, client: (SourceType) -> Client?) {
        items = catalog.sourceTypes.map { sourceType in
            let client = client(sourceType)
            return Item(
                type: sourceType.id.description, displayName: sourceType.displayName, category: sourceType.category,
                supportsOAuth: sourceType.oauth != nil,
                configured: sourceType.isConfigured(by: client, opening: servers),
                oauth: sourceType.oauth.map { profile in
                    OAuth(
                        scopes: profile.defaultScopes(of: client),
                        parameters: profile.parameters.filter { !$0.setByOperator }.map {
                            Parameter(
                                name: $0.name, description: $0.description, pattern: $0.pattern.text,
                                required: $0.required)
                        })
                })
        }
        totalCount = items.count
    }
}
