use http::{Method, Request, Response};
use hyper::body::Incoming;
use rolecall_accept::{Peer, Unanswered};

use super::{
    ahead::Ahead,
    given::{Given, known},
    uploads::{check_of, drain, streams},
};
use crate::{
    answer::{Answer, Ids, Refusal},
    auth::{AuthFailure, Presented, Verifier},
    authorise::{Circumstances, Gate},
    front::{
        Front,
        asked::Asked,
        pipeline::{Handled, read_whole},
        rules::only_decided,
    },
    identity::{Identity, Who},
    journal::Door,
    params::Params,
    request::Received,
    service::Service,
    services::{es, s3::Route, sts, unknown},
    state::{AccountRef, State},
    upstream::{Backend, Body, Check, Operation},
    web_identity::Jwks,
};

/// A request on its way, its body read or still to come.
pub(super) struct Passing<'a> {
    pub(super) backend: &'a Backend,
    pub(super) request: &'a Received,
    pub(super) params: &'a Params,
    pub(super) body: &'a mut Option<Incoming>,
}

/// The operation that a request to S3 is for; `unknown` if it is none.
fn asked_of_s3(request: &Received, state: &State) -> String {
    let route = Route::of(request, state).ok();
    let operation = route.and_then(|route| Operation::of(request, &route)?.ok());
    operation.map_or_else(|| "unknown".to_owned(), |operation| operation.name)
}

// === impl Front ===

impl Front {
    /// Decides about a request and passes it on if it may.
    pub(in crate::front) async fn pass(
        &self,
        backend: &Backend,
        door: Door,
        peer: Peer,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let (head, body) = request.into_parts();
        let mut received = self.received(head, peer, door);
        let mut body = Some(body);
        let mut broken = None;
        let presented = Presented::of(&received);
        if !streams(&received, &presented)
            && let Some(body) = body.take()
        {
            match read_whole(body).await {
                Ok(bytes) => received.body = bytes,
                Err(refusal) => broken = Some(refusal),
            }
        }
        let ahead = self.ask_ahead(backend, &received, &presented, body.as_ref()).await;
        let mut asked = Asked::of(&received, presented, &self.shared.settings.region);
        asked.issuer_keys = self.known_issuer_keys(backend, &asked, &received).await;
        let Asked {
            params,
            presented,
            service,
            region,
            issuer_keys,
        } = asked;
        let down = self.befall(door, &service).await;
        let ids = Ids::new(&service);
        let mut handled = Handled {
            operation: unknown::operation(&received, &params).unwrap_or_else(|| "unknown".to_owned()),
            role: (None, None),
            answer: Answer::empty(500),
            service,
            region,
            caller: None,
            made: None,
            checked: None,
            ids,
            issuer_keys,
        };
        if handled.service == Service::Sts && handled.operation.starts_with("AssumeRole") {
            handled.role = sts::asked_role(&params);
        }
        let result = match broken {
            Some(refusal) => Err(refusal),
            None => {
                let passing = Passing {
                    backend,
                    request: &received,
                    params: &params,
                    body: &mut body,
                };
                self.decide_and_pass(passing, ahead, &presented, &mut handled).await
            }
        };
        if handled.service == Service::S3 && known(&handled.operation).is_none() {
            // Refused before it was looked at what it asks for.
            handled.operation = asked_of_s3(&received, &self.state());
        }
        let given = result.unwrap_or_else(|refusal| {
            let head = received.method == Method::HEAD;
            Answer::refusal(&handled.service, &refusal, &handled.ids, head).into()
        });
        if given.answer.code.is_some()
            && let Some(body) = body
        {
            drain(&received, body).await;
        }
        handled.answer = given.answer;
        let mut response = self.record(&received, handled);
        if down {
            response.extensions_mut().insert(Unanswered);
        }
        match given.stream {
            Some(stream) => response.map(|_| stream),
            None => response.map(Body::from),
        }
    }

    /// The keys of the issuer of a request's token, once the providers of the role's account are known.
    async fn known_issuer_keys(
        &self,
        backend: &Backend,
        asked: &Asked,
        request: &Received,
    ) -> Option<Result<Jwks, String>> {
        if asked.service != Service::Sts || asked.params.get("Action") != Some(sts::WEB_IDENTITY) {
            return None;
        }
        let account = self.state().account_of_arn(asked.params.get("RoleArn")?)?;
        // What it cannot read is told when the request itself needs it.
        self.refresh(backend, account, request).await.ok()?;
        self.issuer_keys(asked).await
    }

    async fn decide_and_pass(
        &self,
        passing: Passing<'_>,
        ahead: Option<Ahead<'_>>,
        presented: &Presented,
        handled: &mut Handled,
    ) -> Result<Given, Refusal> {
        let (backend, request) = (passing.backend, passing.request);
        // Root's own policies are none, so that seeding an account does not read it again after each step.
        if let Presented::Signed(signed) = presented {
            let key = {
                let state = self.state();
                let key = state.keys.get(&signed.key_id);
                key.map(|key| (key.account, matches!(key.identity, Identity::Root)))
            };
            match key {
                Some((account, root)) if !root || handled.service == Service::Sts => {
                    self.refresh(backend, account, request).await?;
                }
                _ => {}
            }
        }
        let (who, check) = {
            let state = self.shared.state.read_at(request.at);
            self.admit(&passing, presented, &state, handled)?
        };
        self.may_be_judged(request, presented, &who, handled)?;
        let enforcement = self.shared.settings.enforcement;
        let circumstances = Circumstances::of(request, &handled.region);
        let mut gate = Gate::new(circumstances, who, handled.service.clone(), enforcement);
        let result = match &handled.service {
            Service::S3 => self.pass_s3(passing, ahead, check, &mut gate, handled).await,
            Service::Iam => self.pass_iam(&passing, &mut gate, handled).await,
            Service::Sts => self.pass_sts(&passing, &mut gate, handled).await,
            Service::Ec2 => self.pass_ec2(&passing, &mut gate, handled).await,
            Service::Es if es::operation(request).is_some() => self.pass_es(&passing, &mut gate, handled).await,
            service => Err(unknown::refusal(service, known(&handled.operation))),
        };
        handled.made = gate.into_made();
        only_decided(result, handled)
    }

    pub(super) async fn refresh(
        &self,
        backend: &Backend,
        account: AccountRef,
        request: &Received,
    ) -> Result<(), Refusal> {
        let read = backend.refresh(&self.shared.state, account, request.at).await;
        read.map_err(|error| error.refusal())
    }

    /// Authentication, of the head alone where the body is still to come.
    fn admit(
        &self,
        passing: &Passing<'_>,
        presented: &Presented,
        state: &State,
        handled: &mut Handled,
    ) -> Result<(Who, Check), Refusal> {
        let (Presented::Signed(signed), Some(_)) = (presented, &passing.body) else {
            return self
                .authenticate(passing.request, presented, state, handled)
                .map(|(who, _)| (who, Check::Nothing));
        };
        let verifier = Verifier {
            state,
            clock: &self.shared.settings.clock,
        };
        let (who, result) = verifier.verify_head(passing.request, &handled.service, signed);
        handled.caller = who.as_ref().and_then(|who| who.caller.clone());
        match (who, result) {
            (Some(who), Ok(key)) => Ok((who, check_of(passing.request, key, signed))),
            (_, Err(failure)) => Err(failure.refusal(&handled.service)),
            (None, Ok(_)) => Err(AuthFailure::Missing.refusal(&handled.service)),
        }
    }
}
