import Broker
import Catalog
import Formats
import Transport

// The words for whoever tries a source type. Each switch over an error is whole, so that a new case asks for its words.

extension Trial {
    /// A warning of the credentials, and what it will come to.
    static func meaning(of warning: String) -> String {
        switch warning {
        case "missing_refresh_token":
            "missing_refresh_token: access ends with this token; ask for offline access, or connect again then"
        case "scope_reduced": "scope_reduced: less was granted than asked; calls that need the rest will fail"
        case "expiry_unknown":
            "expiry_unknown: the provider does not say when the token expires; refresh when a call is answered 401"
        case "extras_missing":
            "extras_missing: the call after connecting failed, or the provider left out what a refresh needs"
        case "extra_refused": "extra_refused: a value did not match the catalog's pattern, and was left out"
        default: warning
        }
    }

    /// - Parameter isFound: the provider is found from a server, and the reason says which of them it tells of.
    static func words(_ error: AuthorizeError, isFound: Bool) -> String {
        switch error {
        case .unknownSourceType: "there is no such source type"
        case .withoutOAuth(let id): "\"\(id)\" has no OAuth"
        case .notConfigured(let id): "\"\(id)\" has no client id"
        case .parameterUnknown(let name, let known):
            "the parameter \(name.quoted) is unknown; the source type has \(known.isEmpty ? "none" : known.joined(separator: ", "))"
        case .parameterMissing(let name): "the parameter \"\(name)\" is missing"
        case .parameterRejected(let name, let pattern): "the parameter \"\(name)\" does not match \(pattern)"
        case .parameterIsTheOperators(let name): "the parameter \"\(name)\" comes with the client"
        case .serverMalformed(let name):
            "the parameter \"\(name)\" is no https address of a server (http, for trials, needs provider.allowInsecure)"
        case .serverNotAllowed(let name): "the parameter \"\(name)\" names a server that mcp.servers does not list"
        case .parametersTooLong: "the parameters are too long together"
        case .parameterNotSetByOperator(let name): "clients has no parameters.\(name)"
        case .scopesMalformed: "a scope is malformed"
        case .returnURLMalformed, .returnURLNotAllowed, .returnURLWithoutChallenge, .frontendOriginNotAllowed,
            .exchangeChallengeMalformed, .hintsNotTaken, .hintMalformed:
            "the trial's own pages are not allowed"
        case .tenantHasTooManyFlows, .tooManyFlows: "too many flows are outstanding"
        case .provider(let error) where isFound: "\(error.reason)"
        case .tooManyRegistrations: "too many registrations were made in this hour"
        case .provider(let error): "the provider gave no sound answer: \(error.reason)"
        case .store(let error): "\(error.reason)"
        }
    }

    static func hint(_ error: AuthorizeError, of sourceType: String, isFound: Bool) -> String {
        switch error {
        case .parameterUnknown, .parameterMissing, .parameterRejected, .parametersTooLong, .serverMalformed:
            "give parameters as --parameter name=value; `cloakroom sources show \(sourceType)` lists them"
        case .parameterIsTheOperators(let name):
            "leave --parameter \(name) out: it is set beside the client id, under clients, as parameters.\(name)"
        case .parameterNotSetByOperator(let name):
            "set parameters.\(name) beside the client id, under clients"
        case .serverNotAllowed:
            "add its host to mcp.servers; one that is there with a port stands for that port alone"
        case .provider(.unreachable(.addressNotAllowed, _)):
            "for trials, provider.allowPrivateAddresses permits addresses of this machine and network, and "
                + "provider.allowInsecure plain http"
        case .provider where isFound:
            "compare the address, letter by letter, with what the server's documentation says; what was found is above"
        default: "`cloakroom sources show \(sourceType)` says what to set"
        }
    }
}
