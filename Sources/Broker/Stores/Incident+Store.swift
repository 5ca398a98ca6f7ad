extension Incident {
    /// An event that was reported, but is missing in the trail.
    package init(notRecorded event: Event, _ error: StoreError) {
        self.init(
            .eventNotRecorded, error.reason, tenant: event.tenant, sourceType: event.sourceType, flow: event.flow,
            requestID: event.requester.requestID)
    }
}
