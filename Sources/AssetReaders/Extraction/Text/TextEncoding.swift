/// A way to write text in bytes.
enum TextEncoding: Hashable {
    case utf8
    case windows1252
    /// One that the C library knows by this name.
    case other(String)

    /// An encoding by its label in the Encoding Standard § 4.2, or by another that is common; `nil` for others, and for
    /// US-ASCII: a text that keeps to it is UTF-8, and one that does not has been declared by accident.
    init?(label: String) {
        let label = label.lowercased()
        guard label.utf8.count <= 32 else { return nil }
        switch label {
        case "utf-8", "utf8", "unicode-1-1-utf-8": self = .utf8
        // The Encoding Standard has these pages in windows-1252, which is what they are written in.
        case "windows-1252", "cp1252", "x-cp1252", "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "l1":
            self = .windows1252
        default:
            guard let name = Self.names[label] ?? Self.numberedName(label) else { return nil }
            self = .other(name)
        }
    }

    /// The text of `bytes` from `count` on, as UTF-8. What is in no way text of this encoding becomes U+FFFD.
    ///
    /// - Parameter limit: where the text grows beyond it, there is none. All in memory at once it is many times the bytes.
    func decoded(_ bytes: [UInt8], skipping count: Int, atMost limit: Int) -> [UInt8]? {
        switch self {
        case .utf8:
            if count == 0, UTF8Text.isValid(bytes) { return bytes }
            return UTF8Text.repaired(bytes[count...], atMost: limit)
        case .windows1252: return Windows1252.decoded(bytes[count...], atMost: limit)
        case .other(let name): return CharsetConversion.decoded(bytes[count...], from: name, atMost: limit)
        }
    }

    /// A list, since a name that a stranger chose does not go to `iconv_open`: it knows hundreds, some of them with a
    /// history of overflows and endless loops.
    private static let names = [
        "utf-16": "UTF-16LE", "utf-16le": "UTF-16LE", "utf-16be": "UTF-16BE",
        "shift_jis": "CP932", "shift-jis": "CP932", "sjis": "CP932", "windows-31j": "CP932", "ms_kanji": "CP932",
        "euc-jp": "EUC-JP", "x-euc-jp": "EUC-JP", "iso-2022-jp": "ISO-2022-JP",
        "euc-kr": "CP949", "ks_c_5601-1987": "CP949", "windows-949": "CP949",
        "big5": "BIG5-HKSCS", "big5-hkscs": "BIG5-HKSCS", "cn-big5": "BIG5-HKSCS",
        "gb2312": "GB18030", "gbk": "GB18030", "gb18030": "GB18030", "x-gbk": "GB18030",
        "koi8-r": "KOI8-R", "koi8-u": "KOI8-U", "macintosh": "MACINTOSH", "ibm866": "IBM866", "cp866": "IBM866",
        "windows-874": "CP874", "tis-620": "CP874", "iso-8859-11": "CP874", "iso-8859-9": "CP1254",
    ]

    /// `windows-1250` to `windows-1258`, `iso-8859-2` to `iso-8859-16`.
    private static func numberedName(_ label: String) -> String? {
        if label.hasPrefix("windows-125"), label.utf8.count == 12, let digit = label.last, ("0"..."8").contains(digit) {
            return "CP125\(digit)"
        }
        guard label.hasPrefix("iso-8859-"), let part = Int(label.dropFirst(9)), (2...16).contains(part), part != 12,
            label == "iso-8859-\(part)"
        else { return nil }
        return "ISO-8859-\(part)"
    }
}
