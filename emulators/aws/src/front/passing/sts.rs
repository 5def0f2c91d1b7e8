use super::{given::Given, way::Passing};
use crate::{
    answer::{Answer, Refusal},
    auth::AuthFailure,
    authorise::Gate,
    front::{Front, pipeline::Handled},
    services::{Call, sts, unknown},
};

// === impl Front ===

impl Front {
    /// STS is the front's own: it alone decides who gets a session, and how long the world's time lets it last.
    pub(super) async fn pass_sts(
        &self,
        passing: &Passing<'_>,
        gate: &mut Gate,
        handled: &mut Handled,
    ) -> Result<Given, Refusal> {
        let (backend, request, params) = (passing.backend, passing.request, passing.params);
        let Some(operation) = unknown::operation(request, params) else {
            return Err(unknown::refusal(&handled.service, None));
        };
        let named = params.get("RoleArn").and_then(|arn| self.state().account_of_arn(arn));
        if let Some(account) = named {
            self.refresh(backend, account, request).await?;
        }
        let done = {
            let mut state = self.state_mut();
            let by_token = || (operation == sts::WEB_IDENTITY).then(|| state.main());
            let Some(account) = gate.who().account.or_else(by_token) else {
                return Err(AuthFailure::Missing.refusal(&handled.service));
            };
            let mut call = Call {
                state: &mut state,
                account,
                gate,
                params,
                issuer_keys: handled.issuer_keys.as_ref(),
                now: request.at,
            };
            sts::perform(&mut call, &operation)
        };
        let result = done.unwrap_or_else(|| Err(unknown::refusal(&handled.service, Some(operation.as_str()))))?;
        let mut answer = Answer::query(&handled.service, &operation, result.as_ref(), &handled.ids.request);
        if operation == "AssumeRole" || operation == sts::WEB_IDENTITY {
            let adopted = backend.adopt(&self.shared.state, params, &answer.body).await;
            answer.body = adopted.map_err(|error| error.refusal())?;
        }
        Ok(answer.into())
    }
}
