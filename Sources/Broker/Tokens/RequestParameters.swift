import Catalog
import Formats
import Secrets

/// A value of a request's parameter. A secret, and a value that may have one filled in, prints as `[redacted]`.
struct ParameterValue: Sendable {
    private let text: String
    private let isSecret: Bool

    /// A value that anyone may read.
    init(_ text: String) {
        self.init(text, isSecret: false)
    }

    init<Use>(_ secret: Secret<Use>) {
        self = secret.expose { ParameterValue($0, isSecret: true) }
    }

    fileprivate init(_ text: String, isSecret: Bool) {
        self.text = text
        self.isSecret = isSecret
    }

    func expose<Result>(_ use: (String) -> Result) -> Result { use(text) }
}

extension ParameterValue: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { isSecret ? "[redacted]" : text }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}

/// The parameters of a request to a provider, in their order.
struct RequestParameters: Sendable {
    private var all: [(name: String, value: ParameterValue)] = []

    init() {}

    /// Parameters that anyone may read.
    init(_ pairs: [(name: String, value: String)]) {
        all = pairs.map { ($0.name, ParameterValue($0.value)) }
    }

    var isEmpty: Bool { all.isEmpty }
    var count: Int { all.count }

    func contains(_ name: String) -> Bool { all.contains { $0.name == name } }

    mutating func reserveCapacity(_ count: Int) { all.reserveCapacity(count) }

    mutating func append(_ name: String, _ value: String) { all.append((name, ParameterValue(value))) }

    mutating func append<Use>(_ name: String, _ secret: Secret<Use>) { all.append((name, ParameterValue(secret))) }

    /// Sets one in place of any of that name.
    mutating func set(_ name: String, _ value: String) {
        if let index = all.firstIndex(where: { $0.name == name }) {
            all[index].value = ParameterValue(value)
        } else {
            append(name, value)
        }
    }

    /// Adds those whose names are free.
    mutating func add(_ others: RequestParameters) {
        all += others.all.filter { !contains($0.name) }
    }

    /// Adds the catalog's own under names that are free.
    mutating func add(_ own: [(name: String, value: ValueTemplate?)], filledWith values: PlaceholderValues) {
        for (name, template) in own where !contains(name) {
            guard let value = template.flatMap({ values.parameter($0) }) else { continue }
            all.append((name, value))
        }
    }

    /// Sets the catalog's own in place of any of the same name; `nil` leaves one out.
    mutating func replace(_ own: [(name: String, value: ValueTemplate?)], filledWith values: PlaceholderValues) {
        for (name, template) in own {
            let index = all.firstIndex { $0.name == name }
            switch (template.flatMap { values.parameter($0) }, index) {
            case (let value?, let index?): all[index].value = value
            case (let value?, nil): all.append((name, value))
            case (nil, let index?): all.remove(at: index)
            case (nil, nil): break
            }
        }
    }

    /// Removes all but the first `count`.
    mutating func keepFirst(_ count: Int) { all.removeSubrange(count...) }

    /// Hands the parameters in the clear to `use`, only to be written or signed.
    func expose<Result>(_ use: ([(name: String, value: String)]) -> Result) -> Result {
        use(all.map { parameter in parameter.value.expose { (parameter.name, $0) } })
    }
}

/// The values that the catalog's placeholders stand for in one request. Secrets are among them: it prints none.
struct PlaceholderValues: Sendable {
    private var values: [String: String]

    /// - Parameter values: the address's parameters.
    init(_ values: [String: String], client: Client, redirectURI: String?) {
        self.values = values
        self.values["clientId"] = client.id
        self.values["redirectURI"] = redirectURI
        set("clientSecret", to: client.secret)
    }

    mutating func set(_ name: String, to value: String) { values[name] = value }

    mutating func set<Use>(_ name: String, to secret: Secret<Use>?) {
        values[name] = nil
        secret?.expose { values[name] = $0 }
    }

    fileprivate func parameter(_ template: ValueTemplate) -> ParameterValue? {
        template.filled(with: values).map { ParameterValue($0, isSecret: true) }
    }

    /// A header's value; `nil` where a value is missing.
    func header(_ template: ValueTemplate) -> String? { template.filled(with: values) }
}

extension PlaceholderValues: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "[redacted values]" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}
