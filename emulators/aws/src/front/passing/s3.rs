use std::collections::HashMap;

use bytes::Bytes;
use http::Method;
use hyper::body::Body as _;

use super::{
    ahead::Ahead,
    given::{Given, give, head_code},
    s3_deletion::{forget_digests, take_denied},
    s3_permission::{Decided, check_name},
    way::Passing,
};
use crate::{
    answer::{Answer, Refusal},
    authorise::Gate,
    front::{Front, pipeline::Handled},
    services::{s3::Route, unknown},
    upstream::{
        Body, Check, DeleteObjects, Operation, Owner, Signer, Upload, UploadFailure, account_of, answered, ask_s3,
        headers, is_bucket_name, path, with_denied,
    },
};

// === impl Front ===

impl Front {
    pub(super) async fn pass_s3(
        &self,
        passing: Passing<'_>,
        ahead: Option<Ahead<'_>>,
        check: Check,
        gate: &mut Gate,
        handled: &mut Handled,
    ) -> Result<Given, Refusal> {
        let (backend, request) = (passing.backend, passing.request);
        "unknown".clone_into(&mut handled.operation);
        let route = Route::of(request, &self.state())?;
        let operation = Operation::of(request, &route);
        let operation = operation.unwrap_or_else(|| Err(unknown::refusal(&handled.service, None)))?;
        handled.operation.clone_from(&operation.name);
        let mut owners = HashMap::new();
        for bucket in operation.buckets(&route) {
            let owner = if is_bucket_name(bucket) {
                let read = backend.owner(&self.shared.state, bucket, request.at).await;
                read.map_err(|error| error.refusal())?
            } else {
                Owner::Nobody
            };
            owners.insert(bucket.to_owned(), owner);
        }
        let mut deletion = match operation.name.as_str() {
            "DeleteObjects" => Some(DeleteObjects::parse(&request.body)?),
            _ => None,
        };
        let bucket = route.bucket.as_deref();
        let (key, owner) = {
            let state = self.state();
            let decided = Decided {
                state: &state,
                route: &route,
                request,
                owners: &owners,
            };
            decided.check(gate, &operation)?;
            let owner = bucket.and_then(|name| state.buckets.get(name)).map(|found| found.owner);
            // To S3 all keys of an account are one, and the upstream need not look up whose a number is.
            (account_of(gate.who(), &state, owner), owner)
        };
        if let Some(name) = bucket {
            check_name(name, &operation, owner, gate.who().account, owners.get(name))?;
        }
        let mut refused = Vec::new();
        let mut sent = headers(request);
        let failure = UploadFailure::default();
        let body = match (&mut deletion, passing.body.take()) {
            (Some(deletion), _) => {
                let name = bucket.unwrap_or_default();
                refused = take_denied(deletion, gate, &self.state(), name, owners.get(name).copied());
                if deletion.objects.is_empty() {
                    return Ok(Answer::ok("application/xml", with_denied(None, &refused)).into());
                }
                match refused.is_empty() {
                    true => Body::whole(request.body.clone()),
                    false => {
                        forget_digests(&mut sent);
                        Body::whole(deletion.write())
                    }
                }
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
            (None, None) => Body::whole(request.body.clone()),
        };
        let signer = Signer {
            key_id: &key,
            region: &handled.region,
            service: "s3",
        };
        let asked = match ahead {
            Some(ahead) => ahead.answer().await,
            None => {
                let path = path(request, &route);
                backend.start(&signer, request.method.clone(), &path, sent, body).await
            }
        };
        let response = asked.map_err(|error| match failure.take() {
            Some(failure) => failure.refusal(&handled.service),
            None => error.refusal(),
        })?;
        if response.status().is_success() {
            let mut state = self.state();
            let account = gate.who().account;
            backend.learn_s3(
                &mut state,
                &operation.name,
                bucket,
                account,
                &handled.region,
                request.at,
            );
        }
        // Whoever may not list does not learn that a key is absent.
        let reads = ["GetObject", "HeadObject", "CopyObject", "UploadPartCopy"].contains(&operation.name.as_str());
        if response.status() == 404 && reads && (owner.is_some() || operation.name.contains("Copy")) {
            let name = operation.buckets(&route).last().unwrap_or_default().to_owned();
            let state = self.state();
            gate.check(
                &state,
                ask_s3(&state, "s3:ListBucket", &name, None, owners.get(&name).copied()),
            )?;
        }
        let status = response.status();
        if (status.is_client_error() || status.is_server_error()) && request.method != Method::HEAD
            || !refused.is_empty()
        {
            let read = backend.read(response).await;
            let mut reply = read.map_err(|error| error.refusal())?;
            if !refused.is_empty() && status.is_success() {
                reply.body = with_denied(std::str::from_utf8(&reply.body).ok(), &refused).into();
            }
            return give(handled, &reply);
        }
        let code = status.is_client_error().then(|| head_code(status.as_u16()).into());
        let (head, stream) = response.into_parts();
        Ok(Given {
            answer: Answer {
                status: head.status.as_u16(),
                headers: answered(&head.headers, false),
                body: Bytes::new(),
                code,
            },
            stream: Some(stream),
        })
    }
}
