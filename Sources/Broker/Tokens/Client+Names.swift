package import Catalog

// The installation's clients, by the names that `clients` of the configuration gives them.
extension [String: Client] {
    /// The name under which a source type's client stands: its own before its provider's, so that one product of a
    /// provider can have an app for itself. `nil` where neither is set.
    package func name(for sourceType: SourceType) -> String? {
        [sourceType.id.description, sourceType.provider].first { self[$0] != nil }
    }

    /// The installation's client for a source type: its own, else its provider's; `nil` where neither is set.
    package func client(for sourceType: SourceType) -> Client? {
        self[sourceType.id.description] ?? self[sourceType.provider]
    }
}
