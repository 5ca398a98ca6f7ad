/// A file of the sandbox's drive, with the members that Google's Drive API v3 has for it.
struct DriveFile {
    let id: String
    let name: String
    let type: String
    let parent: String
    let bytes: [UInt8]
    /// A document of the drive's own kind, which is exported in place of being downloaded.
    let isNative: Bool

    static let root = "sbx-root"
    static let guides = "sbx-guides"
    private static let google = "application/vnd.google-apps."

    private init(_ id: String, _ name: String, _ type: String, in parent: String, _ bytes: [UInt8]) {
        self.id = "sbx-\(id)"
        self.name = name
        self.type = type
        self.parent = parent
        self.bytes = bytes
        isNative = type.hasPrefix(Self.google)
    }

    /// One of each kind that a reader meets, one that is broken, and one that is larger than a reader should take.
    static let all: [DriveFile] = [
        DriveFile("guides", "Guides", google + "folder", in: root, []),
        DriveFile("welcome", "welcome.md", "text/markdown", in: root, PackageResources.welcome_md),
        DriveFile("onboarding", "onboarding.md", "text/markdown", in: guides, PackageResources.onboarding_md),
        DriveFile("decide", "how-we-decide.md", "text/markdown", in: guides, PackageResources.how_we_decide_md),
        DriveFile("notes", "Meeting notes", google + "document", in: root, PackageResources.meeting_notes_md),
        DriveFile("budget", "Budget", google + "spreadsheet", in: root, PackageResources.budget_csv),
        DriveFile("kickoff", "Kickoff", google + "presentation", in: root, PackageResources.kickoff_txt),
        DriveFile("releases", "release-notes.html", "text/html", in: root, PackageResources.release_notes_html),
        DriveFile("plan", "floor-plan.pdf", "application/pdf", in: root, PackageResources.floor_plan_pdf),
        DriveFile("travel", "travel-policy.docx", word, in: guides, PackageResources.travel_policy_docx),
        DriveFile("heads", "head-count.csv", "text/csv", in: root, PackageResources.head_count_csv),
        DriveFile("plants", "office-plants.txt", "text/plain", in: root, PackageResources.office_plants_txt),
        DriveFile("broken", "broken.pdf", "application/pdf", in: root, PackageResources.broken_pdf),
        DriveFile("archive", "archive.txt", "text/plain", in: root, archive),
    ]

    private static let word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    /// Three megabytes.
    private static let archive = [UInt8](
        repeatElement("All that anybody ever wrote down, line after line.\n".utf8, count: 60_000).joined())
}

extension DriveFile: Encodable {
    private enum Member: String, CodingKey {
        case id, name, mimeType, parents, size, md5Checksum, modifiedTime, webViewLink
    }

    func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Member.self)
        try members.encode(id, forKey: .id)
        try members.encode(name, forKey: .name)
        try members.encode(type, forKey: .mimeType)
        try members.encode([parent], forKey: .parents)
        try members.encode("2026-02-16T09:30:00.000Z", forKey: .modifiedTime)
        try members.encode("https://drive.example.com/\(id)", forKey: .webViewLink)
        guard !isNative else { return }
        // 64-bit numbers are text there.
        try members.encode(String(bytes.count), forKey: .size)
        try members.encode(checksum, forKey: .md5Checksum)
    }

    /// Any text that changes with the bytes: nobody can tell it from MD5 without computing it.
    private var checksum: String {
        SHA256.digest(bytes).prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
