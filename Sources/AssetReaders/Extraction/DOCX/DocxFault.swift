/// A reason why a Word document has no text; the child tells it by its number.
enum DocxFault: UInt8, Error, CaseIterable {
    case noArchive = 1
    case brokenArchive
    case encrypted
    case noDocument
    case brokenXML
    case documentType
    case tooMuchText
    case tooManySections

    init(_ fault: XMLFault) {
        self = fault == .documentType ? .documentType : .brokenXML
    }

    /// The same, as one of any document.
    var fault: ExtractionFault {
        switch self {
        case .noArchive: .broken("it is no ZIP archive; it may be encrypted, or of Word's old format")
        case .brokenArchive: .broken("its ZIP archive is damaged")
        case .encrypted: .encrypted
        case .noDocument: .broken("there is no Word document in it")
        case .brokenXML: .broken("its XML cannot be read")
        case .documentType: .broken("its XML has a document type declaration, which is not read")
        case .tooMuchText: .tooMuchText
        case .tooManySections: .tooManySections
        }
    }
}
