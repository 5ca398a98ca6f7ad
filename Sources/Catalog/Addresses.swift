public import Formats

extension OAuthProfile {
    /// A provider's endpoints, as far as one part of an entry names them. Sets lie over one another: an endpoint that
    /// one does not name comes from the set below.
    public struct AddressSet: Sendable {
        /// The address that the browser is sent to (RFC 6749 § 3.1). `nil`: the set below or the issuer's metadata has
        /// it.
        public var authorization: URLTemplate?
        /// The address that codes are exchanged at (RFC 6749 § 3.2). `nil`: as for `authorization`.
        public var token: URLTemplate?
        /// The address that refresh tokens go to, where it is not that of `token`.
        public var refresh: URLTemplate?
        /// The address that takes tokens back. May hold `{token}` and `{clientId}` besides the entry's parameters.
        public var revocation: URLTemplate?
        /// The address of the one more call with the new token; see `AfterConnecting`.
        public var afterConnecting: URLTemplate?

        /// This set, with what it does not name taken from `below`.
        package func over(_ below: AddressSet) -> AddressSet {
            AddressSet(
                authorization: authorization ?? below.authorization, token: token ?? below.token,
                refresh: refresh ?? below.refresh, revocation: revocation ?? below.revocation,
                afterConnecting: afterConnecting ?? below.afterConnecting)
        }
    }

    /// The rule by which a callback names the host that holds the account: the code is exchanged there, and refresh and
    /// revocation go there too (Docs/Catalog.md#addresses).
    public struct TokenOrigin: Sendable {
        /// The callback's parameter that names the host. Its value is kept under this name among the flow's values.
        public let callbackParameter: String
        /// Matches the whole value. The catalog's author must close it: the client's secret goes to every host that it
        /// lets through.
        public let pattern: Pattern
        /// An address with the parameter as its one placeholder. `nil`: the value itself is the origin.
        public let origin: URLTemplate?
        /// True: a callback without the parameter is refused, unless it tells of an error. False: the entry's own
        /// addresses hold then.
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
        /// The entry's addresses where neither a region nor a date has others.
        public var own = AddressSet()
        /// By the value of the parameter `region`. They lie over the dated sets.
        public var regions: [String: AddressSet] = [:]
        /// Sorted by date; each holds from its moment on.
        public var dated: [(from: Timestamp, set: AddressSet)] = []
        /// `nil`: no callback moves the token endpoint.
        public var tokenOrigin: TokenOrigin?
        /// Permits plain http, as the operator's `provider.allowInsecure` does.
        package var allowInsecure = false

        /// The parameter that chooses a region.
        package static let regionParameter = "region"

        /// Every set of the entry, for checks that concern each address whenever it holds.
        package var sets: [AddressSet] { [own] + regions.values + dated.map(\.set) }

        /// The addresses that hold at `now` for the region among `values`.
        package func current(_ values: [String: String], at now: Timestamp) -> AddressSet {
            let latest = dated.last { $0.from <= now }?.set.over(own) ?? own
            guard let region = values[Self.regionParameter].flatMap({ regions[$0] }) else { return latest }
            return region.over(latest)
        }

        /// `template` filled, at the origin that the callback named. `nil` where a value is missing or does not fit its
        /// place.
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
