public import CoreMetrics
import Secrets

/// Keeps what is counted through swift-metrics, and writes it as Prometheus reads it.
///
/// Labels are Prometheus names already. Families that were declared have their words and buckets; any other name gets
/// the usual ones. A series lives as long as the registry: whoever makes them bounds their number.
///
/// The lock is taken where a series is made and where all are read. Counting goes to the series directly.
public final class PrometheusRegistry: MetricsFactory {
    enum Series: Sendable {
        case counter(CounterSeries)
        case gauge(GaugeSeries)
        case histogram(HistogramSeries)
    }

    private struct Entry: Sendable {
        var family: Family
        /// By their labels as they are written.
        var series: [String: Series] = [:]
        var read: (@Sendable () -> [Sample])?
    }

    private struct Entries: Sendable {
        var families: [Entry] = []
        private var places: [String: Int] = [:]

        /// The index of the family, which is put at the end where it is new.
        mutating func place(_ family: Family) -> Int {
            if let place = places[family.name] { return place }
            places[family.name] = families.count
            families.append(Entry(family: family))
            return families.count - 1
        }
    }

    private let entries: Locked<Entries>

    /// - Parameter families: in the order in which they are written.
    public init(_ families: [Family] = []) {
        var entries = Entries()
        for family in families { _ = entries.place(family) }
        self.entries = Locked(entries)
    }

    /// Declares a family whose values are read at each scrape, by `read`, outside of the lock. Of a name that is known
    /// already `read` is replaced; another kind or help than it was declared with is a fault of the program.
    public func declare(_ family: Family, reading read: @escaping @Sendable () -> [Sample]) {
        let known = entries.withLock { entries in
            let place = entries.place(family)
            // One that was only used so far has no words yet.
            if entries.families[place].family.isUndeclared(family.kind) { entries.families[place].family = family }
            entries.families[place].read = read
            return entries.families[place].family
        }
        precondition(known == family, "\(family.name) is declared in two ways")
    }

    // MARK: making series

    /// The counter of these labels, made at the first call; `label` names its family.
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(Family(label, .counter, help: "")) {
            if case .counter(let series) = $0 { series } else { nil }
        } make: { _ in
            let series = CounterSeries()
            return (series, .counter(series))
        } labels: {
            dimensions
        }
    }

    /// The gauge of these labels, made at the first call.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        gauge(label, dimensions)
    }

    /// A histogram where values are aggregated, else a gauge, which has the last value.
    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate ? histogram(label, dimensions) : gauge(label, dimensions)
    }

    /// A histogram in seconds.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions)
    }

    /// Does nothing: a series lives as long as the registry.
    public func destroyCounter(_ handler: any CounterHandler) {}
    /// Does nothing: a series lives as long as the registry.
    public func destroyMeter(_ handler: any MeterHandler) {}
    /// Does nothing: a series lives as long as the registry.
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    /// Does nothing: a series lives as long as the registry.
    public func destroyTimer(_ handler: any TimerHandler) {}

    private func gauge(_ label: String, _ dimensions: [(String, String)]) -> GaugeSeries {
        series(Family(label, .gauge, help: "")) {
            if case .gauge(let series) = $0 { series } else { nil }
        } make: { _ in
            let series = GaugeSeries()
            return (series, .gauge(series))
        } labels: {
            dimensions
        }
    }

    private func histogram(_ label: String, _ dimensions: [(String, String)]) -> HistogramSeries {
        series(Family(label, .histogram(Family.seconds), help: "")) {
            if case .histogram(let series) = $0 { series } else { nil }
        } make: { family in
            var bounds = Family.seconds
            if case .histogram(let own) = family.kind { bounds = own }
            let series = HistogramSeries(bounds)
            return (series, .histogram(series))
        } labels: {
            dimensions
        }
    }

    /// The series with these labels. One that is asked for as another kind than its family's is counted for nobody.
    private func series<Handler>(
        _ undeclared: Family, _ cast: (Series) -> Handler?, make: (Family) -> (Handler, Series),
        labels: () -> [(String, String)]
    ) -> Handler {
        entries.withLock { entries in
            let place = entries.place(undeclared)
            let family = entries.families[place].family
            let key = Exposition.labels(labels())
            if let found = entries.families[place].series[key] { return cast(found) ?? make(family).0 }
            let (handler, series) = make(family)
            if family.kind.isLike(undeclared.kind) { entries.families[place].series[key] = series }
            return handler
        }
    }

    // MARK: reading

    /// All families in Prometheus' text format 0.0.4: those of the initialiser first, others in the order in which they
    /// were first used. Reads the declared values.
    public var text: String {
        // Read outside of the lock: what is read may take locks of its own.
        let families = entries.withLock { $0.families }
        var exposition = Exposition()
        for entry in families {
            exposition.head(entry.family)
            for sample in entry.read?() ?? [] {
                exposition.sample(
                    entry.family.name, labels: Exposition.labels(sample.labels), value: sample.value)
            }
            for (labels, series) in entry.series.sorted(by: { $0.key < $1.key }) {
                exposition.series(entry.family.name, labels: labels, of: series)
            }
        }
        return exposition.text
    }

    /// The `Content-Type` of ``text``; Prometheus tells the format's version by it.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"
}

extension Family {
    fileprivate func isUndeclared(_ kind: Kind) -> Bool { help.isEmpty && self.kind.isLike(kind) }
}

extension Family.Kind {
    fileprivate func isLike(_ other: Self) -> Bool {
        switch (self, other) {
        case (.counter, .counter), (.gauge, .gauge), (.histogram, .histogram): true
        default: false
        }
    }
}
