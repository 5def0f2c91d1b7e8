use super::{
    given::{Given, give},
    way::Passing,
};
use crate::{
    answer::Refusal,
    auth::AuthFailure,
    authorise::Gate,
    front::{Front, pipeline::Handled},
    params::Params,
    services::unknown,
    upstream::{Passed, Signer, asks_iam, check_documents, check_policy, own_user, reads},
};

// === impl Front ===

impl Front {
    pub(super) async fn pass_iam(
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
        let own_user = own_user(&operation, params, gate.who())?;
        let key = {
            let state = self.state();
            for ask in asks_iam(&state[account], &operation, params, own_user.as_deref())? {
                gate.check(&state, ask)?;
            }
            check_documents(&operation, params)?;
            check_policy(&operation, params)?;
            backend.key_of(gate.who(), &state, None)
        };
        let changes = !reads(&operation);
        let late = self.state().is_late();
        if changes && late {
            // What is seen until the change arrives is what all accounts are now.
            let accounts = self.state().accounts();
            for (account, _) in accounts {
                self.refresh(backend, account, request).await?;
            }
            self.state_mut().before_change();
        }
        let mut sent = passed_params(params);
        sent.extend(own_user.clone().map(|name| ("UserName".to_owned(), name)));
        let signer = Signer {
            key_id: &key,
            region: &handled.region,
            service: "iam",
        };
        let asked = backend
            .query(&signer, handled.service.version(), &operation, &sent)
            .await;
        let reply = asked.map_err(|error| error.refusal())?;
        if changes
            && reply.status.is_success()
            && let Some(answer) = reply.xml()
        {
            let passed = Passed {
                account,
                operation: &operation,
                params,
                own_user: own_user.as_deref(),
                answer: &answer,
                now: request.at,
            };
            let learned = backend.learn(&self.shared.state, &passed).await;
            learned.map_err(|error| error.refusal())?;
        }
        if changes && late {
            self.refresh(backend, account, request).await?;
            self.state_mut().after_change(request.at);
        }
        give(handled, reply)
    }
}

/// The parameters of a query-protocol request that are passed on: those of the operation.
pub(super) fn passed_params(params: &Params) -> Vec<(String, String)> {
    let named = params.names().filter_map(|name| Some((name, params.get(name)?)));
    named.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
