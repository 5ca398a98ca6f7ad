import Formats

/// Finds the entries of a built-in file without reading them as YAML.
///
/// The files are the project's own, and keep to one form: entries are indented by two spaces, their members by four.
/// Tests compare it with what the YAML says.
enum BuiltInIndex {
    /// The place of one entry, and the few of its members that a start needs.
    struct Place: Equatable {
        let id: SourceType.ID
        var provider: String
        var hasOAuth = false
        var isFound = false
        /// Its lines, its name's first.
        var range: Range<Int>
    }

    static func places(in bytes: [UInt8]) -> [Place] {
        var places: [Place] = []
        var start = bytes.startIndex
        var isInOAuth = false
        while start < bytes.endIndex {
            let end = bytes[start...].firstIndex(of: newline) ?? bytes.endIndex
            read(bytes[start..<end], isInOAuth: &isInOAuth, into: &places)
            if !places.isEmpty { places[places.count - 1].range = places[places.count - 1].range.lowerBound..<end }
            start = end + 1
        }
        return places
    }

    private static let newline = UInt8(ascii: "\n")
    private static let space = UInt8(ascii: " ")
    private static let provider = Array("provider:".utf8)
    private static let oauth = Array("oauth:".utf8)
    private static let resourceParameter = Array("resourceParameter:".utf8)

    /// - Parameter isInOAuth: the line is a part of that member, if it is a part of one: other texts of several lines may
    ///   begin one with any word.
    private static func read(_ line: ArraySlice<UInt8>, isInOAuth: inout Bool, into places: inout [Place]) {
        let member = line.drop { $0 == space }
        switch member.startIndex - line.startIndex {
        case 2:
            isInOAuth = false
            let name = member.prefix { $0 != UInt8(ascii: ":") }
            guard name.endIndex < member.endIndex,
                let id = SourceType.ID(String(decoding: name, as: UTF8.self))
            else { return }
            places.append(
                Place(id: id, provider: id.description, range: line.startIndex..<line.endIndex))
        case 4 where !places.isEmpty:
            isInOAuth = member.starts(with: oauth)
            if isInOAuth {
                places[places.count - 1].hasOAuth = true
            } else if member.starts(with: provider) {
                let value = member.dropFirst(provider.count).drop { $0 == space }
                    .prefix { $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "_") }
                places[places.count - 1].provider = String(decoding: value, as: UTF8.self)
            }
        case 6 where isInOAuth && member.starts(with: resourceParameter):
            places[places.count - 1].isFound = true
        default: break
        }
    }
}

extension BuiltInCatalog {
    /// A file with one entry alone.
    private static func snippet(_ lines: ArraySlice<UInt8>) -> String {
        "sourceTypes:\n" + String(decoding: lines, as: UTF8.self)
    }

    static func text(of id: SourceType.ID) -> String? {
        for file in files {
            guard let place = BuiltInIndex.places(in: file.bytes).first(where: { $0.id == id }) else { continue }
            // Comments before the next entry are the next entry's.
            let lines = file.bytes[place.range].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            let own = lines.reversed().drop { line in
                let text = line.drop { $0 == UInt8(ascii: " ") }
                return text.isEmpty || (text.first == UInt8(ascii: "#") && text.startIndex - line.startIndex < 4)
            }
            return snippet(Array(own.reversed().joined(separator: [UInt8(ascii: "\n")]))[...])
        }
        return nil
    }

    /// All entries of the built-in files, none of them read.
    static func entries(allowInsecure: Bool) -> [CatalogEntry] {
        files.flatMap { file in
            BuiltInIndex.places(in: file.bytes).map { place in
                CatalogEntry(
                    id: place.id, provider: place.provider, hasOAuth: place.hasOAuth, isFound: place.isFound
                ) {
                    let text = snippet(file.bytes[place.range])
                    return Catalog.sourceTypes(in: [(file.name, text)], allowInsecure: allowInsecure)[place.id]
                }
            }
        }
    }
}
