public import Catalog

/// Where sealed credentials belong. It is also the associated data they are sealed with, so a row
/// copied under another tenant or flow does not open.
public struct Placement: Hashable, Sendable {
    public let tenant: TenantID
    public let sourceType: SourceType.ID
    public let flow: FlowID

    public init(tenant: TenantID, sourceType: SourceType.ID, flow: FlowID) {
        self.tenant = tenant
        self.sourceType = sourceType
        self.flow = flow
    }

    /// No part can hold the separator, so two placements never give the same bytes.
    var context: [UInt8] {
        Array("\(tenant)\u{0}\(sourceType)\u{0}\(flow)".utf8)
    }
}
