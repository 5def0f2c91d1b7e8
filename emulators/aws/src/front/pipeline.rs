use std::{ops::Deref, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body as _, Incoming};
use jiff::Timestamp;
use rolecall_accept::{Peer, Unanswered};

use super::{Front, asked::Asked, deciding::Deciding, rules::only_decided, target::Target};
use crate::{
    answer::{Answer, Ids, Refusal},
    auth::{AuthFailure, Checked, Payload, Presented, Verifier},
    authorise::{Circumstances, Gate, Made},
    decision::Verdict,
    identity::{Caller, Who},
    journal::{Door, Kept},
    request::Received,
    service::Service,
    services::{s3, sts},
    state::State,
    upstream::Body,
    web_identity::Jwks,
};

/// Longest body that is read.
const BODY: usize = 64 << 20;
/// Time a peer may take to send a body.
const BODY_TIME: Duration = Duration::from_secs(60);

/// What a request turned out to be, and what became of it.
pub(super) struct Handled {
    pub(super) service: Service,
    pub(super) operation: String,
    pub(super) region: String,
    pub(super) caller: Option<Arc<Caller>>,
    pub(super) made: Option<Made>,
    /// See [`Verifier::verify`].
    pub(super) checked: Option<Checked>,
    pub(super) answer: Answer,
    pub(super) ids: Ids,
    pub(super) role: (Option<String>, Option<String>),
    pub(super) issuer_keys: Option<Result<Jwks, String>>,
}

/// Reads a body of bounded length in bounded time.
pub(super) async fn read_whole(body: Incoming) -> Result<Bytes, Refusal> {
    let too_large = || {
        Refusal::new(
            400,
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size",
        )
    };
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    // What says that it is too long need not be read.
    if body.size_hint().lower() > BODY as u64 {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_TIME, Limited::new(body, BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) | Err(_) => Err(Refusal::new(
            400,
            "RequestTimeout",
            "Your socket connection to the server was not read from or written to within the timeout period.",
        )),
    }
}

/// A time without its fraction, as AWS keeps times.
pub(crate) fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

// === impl Front ===

impl Front {
    /// Reads a request whole, decides and performs it in one step under the state's lock, and records it.
    pub(super) async fn answer(&self, door: Door, peer: Peer, request: Request<Incoming>) -> Response<Body> {
        if let Some(backend) = &self.shared.backend {
            // In a box, because the server moves the whole of what it is to wait for, and this is nine tenths of it.
            return Box::pin(self.pass(backend, door, peer, request)).await;
        }
        let (head, body) = request.into_parts();
        let (body, broken) = match read_whole(body).await {
            Ok(body) => (body, None),
            Err(refusal) => (Bytes::new(), Some(refusal)),
        };
        let mut received = self.received(head, peer, door);
        received.body = body;
        let presented = Presented::of(&received);
        let mut asked = Asked::of(&received, presented, &self.shared.settings.region);
        asked.issuer_keys = self.issuer_keys(&asked).await;
        let down = self.befall(door, &asked.service).await;
        let handled = self.handle(&received, asked, broken);
        let mut response = self.record(&received, handled);
        if down {
            response.extensions_mut().insert(Unanswered);
        }
        response.map(Body::from)
    }

    fn handle(&self, request: &Received, asked: Asked, broken: Option<Refusal>) -> Handled {
        let Asked {
            params,
            presented,
            service,
            region,
            issuer_keys,
        } = asked;
        let ids = Ids::new(&service);
        let checked = match &presented {
            Presented::Signed(signed) => {
                let secret = self.state().keys.get(&signed.key_id).map(|key| key.secret.clone());
                secret.map(|secret| Checked::of(secret, request, &service, signed))
            }
            Presented::Nothing | Presented::Refused(_) => None,
        };
        let state = self.shared.state.read_at(request.at);
        let target = Target::of(&service, request, &params, &state);
        let mut handled = Handled {
            operation: target.operation(),
            role: match &target {
                Target::Query(name) if service == Service::Sts && name.starts_with("AssumeRole") => {
                    sts::asked_role(&params)
                }
                _ => (None, None),
            },
            answer: Answer::empty(500),
            service,
            region,
            caller: None,
            made: None,
            checked,
            ids,
            issuer_keys,
        };
        let result = match (broken, target) {
            (Some(refusal), _) => Err(refusal),
            (None, Target::S3(s3::Operation::Read(operation), route)) => {
                self.decide(request, &presented, &*state, &mut handled, |handled, deciding| {
                    s3::read(&mut deciding.s3(handled, request, &route), operation)
                })
            }
            (None, _) => {
                drop(state);
                let mut state = self.state_mut();
                state.settle(request.at);
                // Once more, for what its host stands for may have changed.
                let target = Target::of(&handled.service, request, &params, &state);
                self.decide(request, &presented, &mut *state, &mut handled, |handled, deciding| {
                    deciding.perform(handled, request, &params, target)
                })
            }
        };
        handled.answer = result.unwrap_or_else(|refusal| {
            let head = request.method == Method::HEAD;
            Answer::refusal(&handled.service, &refusal, &handled.ids, head)
        });
        handled
    }

    /// Authentication, authorisation and the operation itself, by a state that is held throughout.
    fn decide<S: Deref<Target = State>>(
        &self,
        request: &Received,
        presented: &Presented,
        state: S,
        handled: &mut Handled,
        perform: impl FnOnce(&Handled, Deciding<'_, S>) -> Result<Answer, Refusal>,
    ) -> Result<Answer, Refusal> {
        let (who, payload) = self.authenticate(request, presented, &state, handled)?;
        self.may_be_judged(request, presented, &who, handled)?;
        let enforcement = self.shared.settings.enforcement;
        let circumstances = Circumstances::of(request, &handled.region);
        let mut gate = Gate::new(circumstances, who, handled.service.clone(), enforcement);
        let deciding = Deciding {
            state,
            gate: &mut gate,
            payload: &payload,
        };
        let result = perform(handled, deciding);
        handled.made = gate.into_made();
        only_decided(result, handled)
    }

    pub(super) fn authenticate(
        &self,
        request: &Received,
        presented: &Presented,
        state: &State,
        handled: &mut Handled,
    ) -> Result<(Who, Payload), Refusal> {
        match presented {
            Presented::Refused(failure) => Err(failure.refusal(&handled.service)),
            Presented::Nothing => Ok((
                Who::anonymous(),
                Payload {
                    body: request.body.clone(),
                    trailers: Vec::new(),
                },
            )),
            Presented::Signed(signed) => {
                let verifier = Verifier {
                    state,
                    clock: &self.shared.settings.clock,
                };
                let authenticated = verifier.verify(request, &handled.service, signed, handled.checked.take());
                handled.caller = authenticated.who.as_ref().and_then(|who| who.caller.clone());
                match (authenticated.who, authenticated.result) {
                    (Some(who), Ok(payload)) => Ok((who, payload)),
                    (_, Err(failure)) => Err(failure.refusal(&handled.service)),
                    (None, Ok(_)) => Err(AuthFailure::Missing.refusal(&handled.service)),
                }
            }
        }
    }

    /// Keeps in the journal what became of a request, and gives its answer.
    pub(super) fn record(&self, request: &Received, mut handled: Handled) -> Response<Full<Bytes>> {
        if let Some(made) = handled.made.as_ref().filter(|made| made.verdict == Verdict::LetThrough) {
            let caller = handled.caller.as_ref().map_or("anonymous", |caller| &caller.arn);
            tracing::warn!(
                %caller,
                action = %made.action,
                resource = %made.resource,
                request_id = %handled.ids.request,
                "would be denied, and is let through because enforcement is off"
            );
        }
        let (code, status) = (handled.answer.code.take(), handled.answer.status);
        let response = handled.answer.into_response(&handled.service, &handled.ids);
        let kept = Kept {
            number: 0,
            at: request.at,
            request_id: handled.ids.request,
            door: request.door,
            from: request.from,
            service: handled.service,
            operation: handled.operation,
            region: handled.region,
            caller: handled.caller,
            role: handled.role,
            code,
            status,
            made: handled.made.map(Box::new),
        };
        // What it lets go of is freed when nobody waits for the journal any more.
        let _old = self.log().add(kept);
        response
    }
}
