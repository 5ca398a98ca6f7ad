import AssetReaders

/// Stands for `cloakroom-assets extract docx`.
@main
enum DocxChild {
    static func main() { DocxExtraction.run() }
}
