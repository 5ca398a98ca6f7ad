extension Incident {
    /// The event is reported, and missing in the trail.
    package init(notRecorded event: Event, _ error: StoreError) {
        self.init(
            .eventNotRecorded, error.reason, tenant: event.tenant, sourceType: event.sourceType, flow: event.flow,
            requestID: event.requester.requestID)
    }
}
