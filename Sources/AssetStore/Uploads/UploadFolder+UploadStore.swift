public import Assets

extension UploadFolder: UploadStore {
    public func begin() async throws(AssetStoreError) -> any UploadWriter {
        do { return try await create() } catch { throw AssetStoreError(error) }
    }
}

extension UploadFile: UploadWriter {
    public func append(_ bytes: [UInt8]) throws(AssetStoreError) {
        do { try write(bytes) } catch { throw AssetStoreError(error) }
    }

    public func end() throws(AssetStoreError) -> (size: Int, digest: String) {
        do { return try finish() } catch { throw AssetStoreError(error) }
    }
}

extension AssetStoreError {
    fileprivate init(_ fault: UploadFault) {
        switch fault {
        case .missing: self = .unavailable("the uploaded file is gone")
        case .failed(let reason): self = .unavailable("the uploads' folder: \(reason)")
        case .closed: self = .unavailable("the uploaded file was ended before")
        }
    }
}
