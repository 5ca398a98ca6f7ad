public import Formats

extension OAuthProfile {
    /// Where a provider listens. Sets lie over one another: what one does not name, the one below does.
    public struct AddressSet: Sendable {
        public var authorization: URLTemplate?
        public var token: URLTemplate?
        public var refresh: URLTemplate?
        public var revocation: URLTemplate?
        /// Where the one more call with the new token goes.
        public var afterConnecting: URLTemplate?

        package func over(_ below: AddressSet) -> AddressSet {
            AddressSet(
                authorization: authorization ?? below.authorization, token: token ?? below.token,
                refresh: refresh ?? below.refresh, revocation: revocation ?? below.revocation,
                afterConnecting: afterConnecting ?? below.afterConnecting)
        }

        package var all: [URLTemplate] { [authorization, token, refresh, revocation].compactMap(\.self) }
    }

    /// The callback tells which of the provider's hosts holds the account, and so who trades the code.
    public struct TokenOrigin: Sendable {
        public let callbackParameter: String
        /// Closed by the catalog's author: the client's secret goes where it lets a callback point.
        public let pattern: Pattern
        /// `nil`: the value is the origin.
        public let origin: URLTemplate?
        public let required: Bool

        /// The origin that `value` means, or `nil` where it means none.
        package func origin(_ value: String, allowInsecure: Bool) -> String? {
            guard pattern.matches(value) else { return nil }
            let text = origin.map { $0.filled(with: [callbackParameter: value]) } ?? value
            guard let text, let url = StrictURL(text), url.rest.isEmpty,
                allowInsecure || text.hasPrefix("https://")
            else { return nil }
            return url.text
        }
    }

    /// All addresses of a provider, by region and by date.
    public struct Addresses: Sendable {
        public var own = AddressSet()
        public var regions: [String: AddressSet] = [:]
        /// Sorted by date; each holds from its moment on.
        public var dated: [(from: Timestamp, set: AddressSet)] = []
        public var tokenOrigin: TokenOrigin?
        /// Loopback http is fine: the operator said so.
        package var allowInsecure = false

        /// The parameter that chooses a region.
        package static let regionParameter = "region"

        package var sets: [AddressSet] { [own] + regions.values + dated.map(\.set) }

        /// The addresses that hold at `now` for the region among `values`.
        package func current(_ values: [String: String], at now: Timestamp) -> AddressSet {
            let latest = dated.last { $0.from <= now }?.set.over(own) ?? own
            guard let region = values[Self.regionParameter].flatMap({ regions[$0] }) else { return latest }
            return region.over(latest)
        }

        /// `template` filled, at the origin that the callback told. `nil` where a value does not fit its place.
        package func filled(_ template: URLTemplate?, with values: [String: String]) -> String? {
            guard let url = template?.filled(with: values) else { return nil }
            guard let tokenOrigin, let value = values[tokenOrigin.callbackParameter] else { return url }
            guard let origin = tokenOrigin.origin(value, allowInsecure: allowInsecure),
                let parsed = StrictURL(url)
            else { return nil }
            return origin + parsed.rest
        }
    }
}
