//! What an operation is performed with.

use super::{
    pipeline::{Handled, whole_seconds},
    target::Target,
};
use crate::{
    answer::{Answer, Refusal},
    auth::{AuthFailure, Payload},
    authorise::Gate,
    params::Params,
    request::Received,
    service::Service,
    services::{Call, ec2, es, iam, s3, sts, unknown},
    state::State,
    upstream::reads,
};

/// What is at hand once it is known who asks: the state, for itself alone or to be read beside others, and who decides.
pub(super) struct Deciding<'a, S> {
    pub(super) state: S,
    pub(super) gate: &'a mut Gate,
    pub(super) payload: &'a Payload,
}

// === impl Deciding ===

impl<'a, S> Deciding<'a, S> {
    pub(super) fn s3(self, handled: &'a Handled, request: &'a Received, route: &'a s3::Route) -> s3::S3Call<'a, S> {
        s3::S3Call {
            state: self.state,
            gate: self.gate,
            request,
            payload: self.payload,
            route,
            region: &handled.region,
            now: whole_seconds(request.at),
        }
    }
}

impl Deciding<'_, &mut State> {
    pub(super) fn perform(
        self,
        handled: &Handled,
        request: &Received,
        params: &Params,
        target: Target,
    ) -> Result<Answer, Refusal> {
        match target {
            Target::Refused(refusal) => Err(refusal),
            Target::Unknown(operation) => Err(unknown::refusal(&handled.service, operation.as_deref())),
            Target::Es => es::list_domain_names(self.state, self.gate),
            Target::S3(operation, route) => s3::perform(&mut self.s3(handled, request, &route), operation),
            Target::Query(operation) => self.query(handled, request, params, &operation),
        }
    }

    /// An operation of a service whose requests are forms.
    fn query(self, handled: &Handled, request: &Received, params: &Params, operation: &str) -> Result<Answer, Refusal> {
        let Self { state, gate, .. } = self;
        let by_token = || (operation == sts::WEB_IDENTITY).then(|| state.main());
        let Some(account) = gate.who().account.or_else(by_token) else {
            return Err(AuthFailure::Missing.refusal(&handled.service));
        };
        let mut call = Call {
            state,
            account,
            gate,
            params,
            issuer_keys: handled.issuer_keys.as_ref(),
            now: request.at,
        };
        let is_unknown = || unknown::refusal(&handled.service, Some(operation));
        let request_id = &handled.ids.request;
        if handled.service == Service::Ec2 {
            let done = ec2::perform(&mut call, &handled.region, operation);
            let result = done.unwrap_or_else(|| Err(is_unknown()))?;
            return Ok(Answer::ec2(operation, &result, request_id));
        }
        let done = match handled.service {
            Service::Sts => sts::perform(&mut call, operation),
            _ if reads(operation) => iam::perform(&mut call, operation),
            _ => {
                call.state.before_change();
                let done = iam::perform(&mut call, operation);
                call.state.after_change(request.at);
                done
            }
        };
        let result = done.unwrap_or_else(|| Err(is_unknown()))?;
        Ok(Answer::query(&handled.service, operation, result.as_ref(), request_id))
    }
}
