import Secrets

/// An entry's name, and what is known of it before it is read.
///
/// Built-in entries are read when they are asked for: most installations use a few of some hundreds.
public final class CatalogEntry: Sendable {
    /// The entry's own name.
    public let id: SourceType.ID
    /// Source types of one provider share its client credentials.
    public let provider: String
    /// False: there is nothing to connect by OAuth.
    public let hasOAuth: Bool
    /// True where its provider is found from a server that callers name (`OAuthProfile.resourceParameter`).
    public let isFound: Bool
    private let state: Locked<State>

    private enum State: Sendable {
        /// Not yet asked for.
        case text(@Sendable () -> SourceType?)
        /// `nil` where it has a mistake, which no built-in entry has.
        case read(SourceType?)
    }

    /// An entry that is read already.
    init(_ sourceType: SourceType) {
        id = sourceType.id
        provider = sourceType.provider
        hasOAuth = sourceType.oauth != nil
        isFound = sourceType.oauth?.resourceParameter != nil
        state = Locked(.read(sourceType))
    }

    /// - Parameter read: called once at most, and by one thread: nobody sees what it makes before it is done.
    init(
        id: SourceType.ID, provider: String, hasOAuth: Bool, isFound: Bool = false,
        read: @escaping @Sendable () -> SourceType?
    ) {
        self.id = id
        self.provider = provider
        self.hasOAuth = hasOAuth
        self.isFound = isFound
        state = Locked(.text(read))
    }

    /// The whole entry. The first call reads it: a fraction of a millisecond for one, tens for all of the catalog.
    public var sourceType: SourceType? {
        state.withLock { state in
            switch state {
            case .read(let sourceType): return sourceType
            case .text(let read):
                let sourceType = read()
                state = .read(sourceType)
                return sourceType
            }
        }
    }

    /// Tells whether it was asked for before.
    var isRead: Bool {
        state.withLock { state in
            if case .read = state { true } else { false }
        }
    }

    /// Tells whether a client of this name is one for the source type.
    package func bears(_ client: String) -> Bool { hasOAuth && (provider == client || id.description == client) }
}
