public import Broker
public import Catalog
import Formats

/// The answer of `assets:sourceTypes`, and what `cloakroom sources --json` prints.
public struct SourceTypeList: Encodable, Sendable {
    public struct Item: Encodable, Sendable {
        public let type: String
        public let displayName: String
        public let category: String
        public let supportsOAuth: Bool
        /// A flow could start now: a client id is known. Always true without OAuth.
        public let configured: Bool
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

    public struct OAuth: Encodable, Sendable {
        public let scopes: [String]
        public let parameters: [Parameter]
    }

    public struct Parameter: Encodable, Sendable {
        public let name: String
        public let description: String
        public let pattern: String
        public let required: Bool
    }

    public let items: [Item]
    public let totalCount: Int

    /// - Parameter client: whom a flow of a source type would act as.
    public init(_ catalog: Catalog, client: (SourceType) -> Client?) {
        items = catalog.sourceTypes.map { sourceType in
            let client = client(sourceType)
            return Item(
                type: sourceType.id.description, displayName: sourceType.displayName, category: sourceType.category,
                supportsOAuth: sourceType.oauth != nil,
                configured: sourceType.isConfigured(by: client),
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
