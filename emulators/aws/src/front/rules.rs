//! What holds for every request, whatever stores and answers behind the front.

use http::request::Parts;
use rolecall_accept::Peer;

use super::{Front, pipeline::Handled};
use crate::{
    answer::Refusal,
    auth::{AuthFailure, Presented},
    identity::{Identity, Who},
    journal::Door,
    request::Received,
    service::Service,
    services::sts,
};

// === impl Front ===

impl Front {
    /// A request as it arrives, its body still to come.
    pub(super) fn received(&self, head: Parts, peer: Peer, door: Door) -> Received {
        Received {
            method: head.method,
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            body: bytes::Bytes::new(),
            from: peer.remote,
            door,
            at: self.shared.settings.clock.wall(),
        }
    }

    /// Waits for as long as an injected fault delays the service, and tells whether one leaves the request unanswered.
    pub(super) async fn befall(&self, door: Door, service: &Service) -> bool {
        if door != Door::World {
            return false;
        }
        let delay = self.faults().delay(service.name());
        if let Some(delay) = delay {
            tokio::time::sleep(delay).await;
        }
        self.faults().down(service.name())
    }

    /// Whether policy is asked at all about a request of this caller.
    ///
    /// # Errors
    /// It must be signed and is not, the keys are none to the service, or a fault was injected.
    pub(super) fn may_be_judged(
        &self,
        request: &Received,
        presented: &Presented,
        who: &Who,
        handled: &Handled,
    ) -> Result<(), Refusal> {
        // A token is the proof of who asks; the request itself is not signed.
        let by_token = handled.service == Service::Sts && handled.operation == sts::WEB_IDENTITY;
        if handled.service != Service::S3 && !by_token && matches!(presented, Presented::Nothing) {
            return Err(AuthFailure::Missing.refusal(&handled.service));
        }
        let limited = matches!(
            who.identity,
            Identity::Root | Identity::User(_) | Identity::Federated(_)
        );
        if handled.service == Service::Iam && limited && who.session.is_some() {
            // The keys of GetSessionToken (without MFA) and GetFederationToken are none to IAM.
            let caller = who.caller.as_ref();
            let id = caller.map(|caller| caller.key_id.clone()).unwrap_or_default();
            return Err(AuthFailure::UnknownKey { id }.refusal(&handled.service));
        }
        if request.door == Door::World
            && let Some(fault) = self.faults().error(handled.service.name())
        {
            return Err(fault);
        }
        Ok(())
    }
}

/// Whatever succeeds was decided on. A hole in this rule would be an approval nobody gave.
pub(super) fn only_decided<T>(result: Result<T, Refusal>, handled: &Handled) -> Result<T, Refusal> {
    match (result, &handled.made) {
        (Ok(_), None) => Err(Refusal::internal(
            &handled.service,
            format!(
                "Rolecall made no decision about {}:{}",
                handled.service.name(),
                handled.operation
            ),
        )),
        (result, _) => result,
    }
}
