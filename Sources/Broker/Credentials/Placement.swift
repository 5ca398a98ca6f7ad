public import Catalog
public import Formats

/// The place that sealed credentials belong to. It is also the associated data they are sealed with, so a row
/// copied under another tenant or flow does not open.
public struct Placement: Hashable, Sendable {
    /// The only tenant that may redeem.
    public let tenant: TenantID
    /// The source type that was connected.
    public let sourceType: SourceType.ID
    /// The flow that was granted the credentials.
    public let flow: FlowID

    /// The place of a flow's credentials, as the flow itself or a row of the store names it.
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
