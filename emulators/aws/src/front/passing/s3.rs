use std::collections::HashMap;

use bytes::Bytes;
use http::{Method, Response};
use hyper::body::Body as _;

use super::{
    ahead::Ahead,
    given::{Given, give, head_code},
    s3_deletion::{Deletion, forget_digests},
    s3_permission::{Decided, check_name},
    way::Passing,
};
use crate::{
    answer::{Answer, Refusal},
    authorise::Gate,
    front::{Front, pipeline::Handled},
    services::{s3::Route, unknown},
    state::AccountRef,
    upstream::{
        Body, Check, Operation, Owner, Signer, Upload, UploadFailure, account_of, answered, ask_s3, headers,
        is_bucket_name, path,
    },
};

/// A request to S3 that may be passed on, and what must be known of it once it is answered.
struct Allowed {
    route: Route,
    operation: Operation,
    /// Of the buckets that it names.
    owners: HashMap<String, Owner>,
    /// The account whose its bucket is, if it is one of the front's.
    owner: Option<AccountRef>,
    /// The number of the account for which the upstream is asked.
    account: String,
    /// Of DeleteObjects alone.
    deletion: Option<Deletion>,
}

// === impl Front ===

impl Front {
    pub(super) async fn pass_s3(
        &self,
        mut passing: Passing<'_>,
        ahead: Option<Ahead<'_>>,
        check: Check,
        gate: &mut Gate,
        handled: &mut Handled,
    ) -> Result<Given, Refusal> {
        let allowed = self.decide_s3(&passing, gate, handled).await?;
        let response = match ahead {
            Some(ahead) => {
                // What is asked for ahead has no body, which its hash must say as well.
                check.verify().map_err(|failure| failure.refusal(&handled.service))?;
                ahead.answer().await?
            }
            None => match &allowed.deletion {
                Some(deletion) if deletion.is_empty() => return Ok(deletion.answer().into()),
                _ => send_s3(&mut passing, check, &allowed, handled).await?,
            },
        };
        self.give_s3(&passing, &allowed, response, gate, handled).await
    }

    /// Finds out what a request is for, and asks the policies for all that it needs.
    async fn decide_s3(
        &self,
        passing: &Passing<'_>,
        gate: &mut Gate,
        handled: &mut Handled,
    ) -> Result<Allowed, Refusal> {
        let request = passing.request;
        "unknown".clone_into(&mut handled.operation);
        let route = Route::of(request, &self.state())?;
        let operation = Operation::of(request, &route);
        let operation = operation.unwrap_or_else(|| Err(unknown::refusal(&handled.service, None)))?;
        handled.operation.clone_from(&operation.name);
        let mut owners = HashMap::new();
        for bucket in operation.buckets(&route) {
            let owner = match is_bucket_name(bucket) {
                true => passing.backend.owner(&self.shared.state, bucket, request.at).await?,
                false => Owner::Nobody,
            };
            owners.insert(bucket.to_owned(), owner);
        }
        let mut deletion = match operation.name.as_str() {
            "DeleteObjects" => Some(Deletion::parse(&request.body)?),
            _ => None,
        };
        let bucket = route.bucket.as_deref();
        let state = self.state();
        let decided = Decided {
            state: &state,
            route: &route,
            request,
            owners: &owners,
        };
        decided.check(gate, &operation)?;
        let owner = bucket.and_then(|name| state.buckets.get(name)).map(|found| found.owner);
        if let Some(name) = bucket {
            check_name(name, &operation, owner, gate.who().account, owners.get(name))?;
        }
        if let (Some(deletion), Some(name)) = (&mut deletion, bucket) {
            deletion.decide(gate, &state, name, owners.get(name).copied());
        }
        // To S3 all keys of an account are one, and the upstream need not look up whose a number is.
        let account = account_of(gate.who(), &state, owner);
        drop(state);
        Ok(Allowed {
            route,
            operation,
            owners,
            owner,
            account,
            deletion,
        })
    }

    /// What is given back of the upstream's answer.
    async fn give_s3(
        &self,
        passing: &Passing<'_>,
        allowed: &Allowed,
        response: Response<Body>,
        gate: &mut Gate,
        handled: &Handled,
    ) -> Result<Given, Refusal> {
        let (backend, request) = (passing.backend, passing.request);
        let operation = allowed.operation.name.as_str();
        let status = response.status();
        if status.is_success() {
            let bucket = allowed.route.bucket.as_deref();
            let (asker, region) = (gate.who().account, &handled.region);
            backend.learn_s3(&self.shared.state, operation, bucket, asker, region, request.at);
        }
        // Whoever may not list does not learn that a key is absent.
        let copies = operation.contains("Copy");
        let reads = copies || ["GetObject", "HeadObject"].contains(&operation);
        if status == 404 && reads && (allowed.owner.is_some() || copies) {
            let name = allowed.operation.buckets(&allowed.route).last().unwrap_or_default();
            let (state, owner) = (self.state(), allowed.owners.get(name).copied());
            gate.check(&state, ask_s3(&state, "s3:ListBucket", name, None, owner))?;
        }
        let denied = allowed.deletion.as_ref().filter(|deletion| deletion.has_denied());
        let failed = status.is_client_error() || status.is_server_error();
        if failed && request.method != Method::HEAD || denied.is_some() {
            let mut reply = backend.read(response).await?;
            if let Some(deletion) = denied.filter(|_| status.is_success()) {
                reply.body = deletion.with_denied(&reply.body);
            }
            return give(handled, reply);
        }
        let code = status.is_client_error().then(|| head_code(status.as_u16()).into());
        let (head, stream) = response.into_parts();
        Ok(Given {
            answer: Answer {
                status: head.status.as_u16(),
                headers: answered(head.headers, false),
                body: Bytes::new(),
                code,
            },
            stream: Some(stream),
        })
    }
}

/// Sends what may be passed on, its body as it comes, and returns with the head of the answer.
async fn send_s3(
    passing: &mut Passing<'_>,
    check: Check,
    allowed: &Allowed,
    handled: &Handled,
) -> Result<Response<Body>, Refusal> {
    let (backend, request) = (passing.backend, passing.request);
    let mut sent = headers(request);
    let failure = UploadFailure::default();
    let body = match (&allowed.deletion, passing.body.take()) {
        (Some(deletion), _) if deletion.has_denied() => {
            forget_digests(&mut sent);
            Body::whole(deletion.write())
        }
        (None, Some(body)) => {
            let upload = Upload::new(body, check, failure.clone());
            let upload = upload.map_err(|failure| failure.refusal(&handled.service))?;
            match upload.is_end_stream() {
                // It was found to be empty, as its hash says, which the upstream need not find again.
                true => {
                    sent.remove("x-amz-content-sha256");
                    Body::whole(Bytes::new())
                }
                false => Body::Verified(upload),
            }
        }
        _ => Body::whole(request.body.clone()),
    };
    let signer = Signer {
        key_id: &allowed.account,
        region: &handled.region,
        service: "s3",
    };
    let path = path(request, &allowed.route);
    let asked = backend.start(&signer, request.method.clone(), &path, sent, body).await;
    asked.map_err(|error| match failure.take() {
        Some(failure) => failure.refusal(&handled.service),
        None => error.refusal(),
    })
}
