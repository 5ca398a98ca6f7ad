/// The scopes of calls, by the broker's names.
enum BrokerScope: String, Hashable, Sendable {
    case assetsRead = "assets:read"
    case assetsWrite = "assets:write"
    case credentialsWrite = "credentials:write"
}
