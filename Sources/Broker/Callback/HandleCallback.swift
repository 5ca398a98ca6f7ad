import Catalog
import Secrets

extension Broker {
    /// Takes a provider's redirect, and exchanges its code. A sound request spends the state, whatever comes of it; one
    /// without a sound state or with a parameter twice spends nothing (Docs/Contract.md#the-callback). Goes on where
    /// the browser leaves.
    ///
    /// - Parameter executor: where the request's own task prefers to run: what goes on without it does too, and is not
    ///   handed from thread to thread.
    public func callback(
        _ request: CallbackRequest, on executor: (any TaskExecutor)? = nil
    ) async -> CallbackResult {
        let claimed: ClaimedFlow
        do {
            claimed = try await claim(request)
        } catch {
            return .failed(error, error.lost)
        }
        // A closed tab must not stop what can only be done once: the code would be spent for nothing.
        let exchange = Task(executorPreference: executor) { [self] () async -> Result<CredentialKey, CallbackFailure> in
            do throws(CallbackFailure) {
                return .success(try await credentialKey(for: claimed))
            } catch {
                return .failure(error)
            }
        }
        switch await exchange.value {
        case .success(let key):
            return .succeeded(claimed.flow, key)
        case .failure(let failure):
            await end(claimed, with: failure)
            return .failed(failure, claimed.flow)
        }
    }

    /// From a claimed flow to the key that redeems its credentials.
    private func credentialKey(for claimed: ClaimedFlow) async throws(CallbackFailure) -> CredentialKey {
        let issued = try await exchange(verify(claimed))
        if let key = try await keep(issued) { return key }
        await takeBack(issued)
        throw CallbackFailure(.invalidState, "the flow was revoked or expired while the provider was asked")
    }

    private func end(_ claimed: ClaimedFlow, with failure: CallbackFailure) async {
        let (flow, error) = (claimed.flow, failure.error)
        let remark = claimed.callback.remark(on: catalog[flow.sourceType]?.oauth)
        let event = Event(
            .flowFailed, at: now(), by: claimed.callback.requester, flow.placement, code: error.code,
            detail: [failure.reason, remark].compactMap { $0?.description }.joined(separator: "; "))
        report(event)
        do {
            try await store.fail(flow.id, error: error.code, description: error.providerDescription, recording: event)
        } catch {
            // The sweep ends the flow then.
            tell(Incident(notRecorded: event, error))
        }
    }
}
