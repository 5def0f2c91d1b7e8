//! EC2, and the lists of ES.

use bytes::Bytes;
use http::{HeaderMap, Method};

use super::{
    given::{Given, give},
    iam::passed_params,
    way::Passing,
};
use crate::{
    answer::{Answer, Refusal},
    auth::AuthFailure,
    authorise::{Ask, Gate},
    front::{Front, pipeline::Handled},
    service::Service,
    services::{Call, ec2, unknown},
    upstream::{Body, Signer},
};

// === impl Front ===

impl Front {
    pub(super) async fn pass_ec2(
        &self,
        passing: &Passing<'_>,
        gate: &mut Gate,
        handled: &mut Handled,
    ) -> Result<Given, Refusal> {
        let (backend, request, params) = (passing.backend, passing.request, passing.params);
        let Some(operation) = unknown::operation(request, params) else {
            return Err(unknown::refusal(&handled.service, None));
        };
        let Some(account) = gate.who().account else {
            return Err(AuthFailure::Missing.refusal(&handled.service));
        };
        // The world's instances are the front's own: the upstream has none of them.
        let own = ["DescribeInstances", "DescribeIamInstanceProfileAssociations"].contains(&operation.as_str());
        if own && !self.state().instances.is_empty() {
            self.refresh(backend, account, request).await?;
            let mut state = self.state_mut();
            let mut call = Call {
                state: &mut state,
                account,
                gate,
                params,
                issuer_keys: None,
                now: request.at,
            };
            let done = ec2::perform(&mut call, &handled.region, &operation);
            let result = done.unwrap_or_else(|| Err(unknown::refusal(&Service::Ec2, Some(operation.as_str()))))?;
            return Ok(Answer::ec2(&operation, &result, &handled.ids.request).into());
        }
        let key = {
            let state = self.state();
            gate.check(&state, Ask::new(&format!("ec2:{operation}"), "*").shown(""))?;
            backend.key_of(gate.who(), &state, None)
        };
        let signer = Signer {
            key_id: &key,
            region: &handled.region,
            service: "ec2",
        };
        let sent = passed_params(params);
        let asked = backend
            .query(&signer, handled.service.version(), &operation, &sent)
            .await;
        give(handled, asked.map_err(|error| error.refusal())?)
    }

    pub(super) async fn pass_es(
        &self,
        passing: &Passing<'_>,
        gate: &mut Gate,
        handled: &mut Handled,
    ) -> Result<Given, Refusal> {
        let (backend, request) = (passing.backend, passing.request);
        "ListDomainNames".clone_into(&mut handled.operation);
        let key = {
            let state = self.state();
            gate.check(&state, Ask::new("es:ListDomainNames", "*").shown(""))?;
            backend.key_of(gate.who(), &state, None)
        };
        let signer = Signer {
            key_id: &key,
            region: &handled.region,
            service: "es",
        };
        let path = request.path.trim_end_matches('/');
        let asked = backend
            .send(&signer, Method::GET, path, HeaderMap::new(), Body::whole(Bytes::new()))
            .await;
        give(handled, asked.map_err(|error| error.refusal())?)
    }
}
