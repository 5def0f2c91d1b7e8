//! The way of a request to an upstream: parsed, authenticated, decided and recorded as with memory, answered elsewhere.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use rolecall_accept::{Peer, Unanswered};

use super::{
    Front,
    asked::Asked,
    pipeline::{Handled, read_whole},
};
use crate::{
    answer::{Answer, Refusal},
    auth::{AuthFailure, ChunkStream, Presented, Signed, SigningKey, Verifier},
    authorise::{Ask, Gate, context},
    identity::{Identity, Who, request_id, s3_request_id},
    journal::Door,
    params::Params,
    request::Received,
    service::Service,
    services::{
        Call, ec2, es,
        s3::{self, Route},
        sts, unknown,
    },
    state::State,
    upstream::{
        Backend, Body, Check, DeleteObjects, Operation, Owner, Passed, Reply, Signer, Upload, UploadFailure,
        UpstreamError, answered, ask_s3, asks_iam, check_documents, check_policy, headers, is_bucket_name, own_user,
        path, reads, with_denied, with_request_id,
    },
    web_identity::Jwks,
};

/// How much of a refused body is read, and for how long.
const DRAIN: usize = 16 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// A request on its way, its body read or still to come.
struct Passing<'a> {
    backend: &'a Backend,
    request: &'a Received,
    params: &'a Params,
    body: &'a mut Option<Incoming>,
}

/// An answer, with its body where that comes from the upstream as it is.
struct Given {
    answer: Answer,
    stream: Option<Incoming>,
}

impl From<Answer> for Given {
    fn from(answer: Answer) -> Self {
        Self { answer, stream: None }
    }
}

/// Whether a body passes without being read: an object's. What else S3 is sent is small and is looked at.
fn streams(request: &Received) -> bool {
    let looked_at = |part: &str| ["delete", "policy"].contains(&part.split('=').next().unwrap_or(part));
    let service = match Presented::of(request) {
        Presented::Signed(signed) => Service::of_scope(&signed.service, &request.headers),
        _ => {
            let form = request.header("content-type").unwrap_or_default();
            if form.starts_with("application/x-www-form-urlencoded") {
                return false;
            }
            Service::guess(request, &Params::of(request))
        }
    };
    service == Service::S3 && !request.query.split('&').any(looked_at)
}

/// Reads what a client sends although it is refused, so that it gets to the answer: many send all before they read. One
/// that waits for leave to send is not waited for.
async fn drain(request: &Received, body: Incoming) {
    if request.headers.contains_key(http::header::EXPECT) {
        return;
    }
    let mut body = Limited::new(body, DRAIN);
    let read = async { while let Some(Ok(_)) = body.frame().await {} };
    // Whoever has sent no end by then has had its time.
    let _ = tokio::time::timeout(DRAIN_TIME, read).await;
}

// === impl Front ===

impl Front {
    /// Decides about a request and passes it on if it may.
    pub(super) async fn pass(
        &self,
        backend: &Backend,
        door: Door,
        peer: Peer,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let (head, body) = request.into_parts();
        let mut received = Received {
            method: head.method,
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            body: Bytes::new(),
            from: peer.remote,
            door,
            at: self.shared.settings.clock.wall(),
        };
        let mut body = Some(body);
        let mut broken = None;
        if !streams(&received)
            && let Some(body) = body.take()
        {
            match read_whole(body).await {
                Ok(bytes) => received.body = bytes,
                Err(refusal) => broken = Some(refusal),
            }
        }
        let mut asked = Asked::of(&received, &self.shared.settings.region);
        asked.issuer_keys = self.known_issuer_keys(backend, &asked, &received).await;
        let Asked {
            params,
            presented,
            service,
            region,
            issuer_keys,
        } = asked;
        if door == Door::World {
            let delay = self.faults().delay(service.name());
            if let Some(delay) = delay {
                tokio::time::sleep(delay).await;
            }
        }
        let request_id = if service == Service::S3 {
            s3_request_id()
        } else {
            request_id()
        };
        let mut handled = Handled {
            operation: unknown::operation(&received, &params).unwrap_or_else(|| "unknown".to_owned()),
            role: (None, None),
            answer: Answer::empty(500),
            service,
            region,
            caller: None,
            made: None,
            checked: None,
            request_id,
            issuer_keys,
        };
        if handled.service == Service::Sts && handled.operation.starts_with("AssumeRole") {
            handled.role = sts::asked_role(&params);
        }
        let passing = Passing {
            backend,
            request: &received,
            params: &params,
            body: &mut body,
        };
        let down = door == Door::World && self.faults().down(handled.service.name());
        let result = match broken {
            Some(refusal) => Err(refusal),
            None => self.decide_and_pass(passing, &presented, &mut handled).await,
        };
        let given = result.unwrap_or_else(|refusal| {
            let head = received.method == Method::HEAD;
            Answer::refusal(&handled.service, &refusal, &handled.request_id, head).into()
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
            Some(stream) => response.map(|_| Body::Passing(stream)),
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
            let mut state = self.state();
            state.settle(request.at);
            self.admit(&passing, presented, &state, handled)?
        };
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
            let id = who.caller.map(|caller| caller.key_id.clone()).unwrap_or_default();
            return Err(AuthFailure::UnknownKey { id }.refusal(&handled.service));
        }
        if request.door == Door::World
            && let Some(fault) = self.faults().error(handled.service.name())
        {
            return Err(fault);
        }
        let context = context(request, &handled.region, &who, &self.state());
        let mut gate = Gate::new(who, handled.service.clone(), self.shared.settings.enforcement, context);
        let result = match &handled.service {
            Service::S3 => self.pass_s3(passing, check, &mut gate, handled).await,
            Service::Iam => self.pass_iam(&passing, &mut gate, handled).await,
            Service::Sts => self.pass_sts(&passing, &mut gate, handled).await,
            Service::Ec2 => self.pass_ec2(&passing, &mut gate, handled).await,
            Service::Es if es::operation(request).is_some() => self.pass_es(&passing, &mut gate, handled).await,
            service => Err(unknown::refusal(service, known(&handled.operation))),
        };
        handled.made = gate.into_made();
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

    async fn refresh(
        &self,
        backend: &Backend,
        account: crate::state::AccountRef,
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

    async fn pass_iam(&self, passing: &Passing<'_>, gate: &mut Gate, handled: &mut Handled) -> Result<Given, Refusal> {
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
            self.state().before_change();
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
            self.state().after_change(request.at);
        }
        give(handled, &reply)
    }

    /// STS is the front's own: it alone decides who gets a session, and how long the world's time lets it last.
    async fn pass_sts(&self, passing: &Passing<'_>, gate: &mut Gate, handled: &mut Handled) -> Result<Given, Refusal> {
        let (backend, request, params) = (passing.backend, passing.request, passing.params);
        let Some(operation) = unknown::operation(request, params) else {
            return Err(unknown::refusal(&handled.service, None));
        };
        let named = params.get("RoleArn").and_then(|arn| self.state().account_of_arn(arn));
        if let Some(account) = named {
            self.refresh(backend, account, request).await?;
        }
        let done = {
            let mut state = self.state();
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
        let mut answer = Answer::query(&handled.service, &operation, result.as_ref(), &handled.request_id);
        if operation == "AssumeRole" || operation == sts::WEB_IDENTITY {
            let adopted = backend.adopt(&self.shared.state, params, &answer.body).await;
            answer.body = adopted.map_err(|error| error.refusal())?;
        }
        Ok(answer.into())
    }

    async fn pass_ec2(&self, passing: &Passing<'_>, gate: &mut Gate, handled: &mut Handled) -> Result<Given, Refusal> {
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
            let mut state = self.state();
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
            return Ok(Answer::ec2(&operation, &result, &handled.request_id).into());
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
        give(handled, &asked.map_err(|error| error.refusal())?)
    }

    async fn pass_es(&self, passing: &Passing<'_>, gate: &mut Gate, handled: &mut Handled) -> Result<Given, Refusal> {
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
        give(handled, &asked.map_err(|error| error.refusal())?)
    }

    async fn pass_s3(
        &self,
        passing: Passing<'_>,
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
            (backend.key_of(gate.who(), &state, owner), owner)
        };
        if let Some(name) = bucket.filter(|name| !is_bucket_name(name)) {
            return Err(match operation.name.as_str() {
                "CreateBucket" => Refusal::new(400, "InvalidBucketName", "The specified bucket is not valid."),
                _ => Refusal::new(404, "NoSuchBucket", "The specified bucket does not exist"),
            }
            .detail("BucketName", name));
        }
        // LocalStack's own refusal has no message, by which the command line fails.
        if let Some(name) = bucket.filter(|_| operation.name == "CreateBucket")
            && (owner.is_some_and(|owner| Some(owner) != gate.who().account)
                || owners.get(name) == Some(&Owner::Stranger))
        {
            return Err(s3::taken(name));
        }
        let mut denied = Vec::new();
        let mut sent = headers(request);
        let failure = UploadFailure::default();
        let body = match (&mut deletion, passing.body.take()) {
            (Some(deletion), _) => {
                let state = self.state();
                let name = bucket.unwrap_or_default();
                let objects = std::mem::take(&mut deletion.objects);
                for (key, version) in objects {
                    let action = if version.is_some() {
                        "s3:DeleteObjectVersion"
                    } else {
                        "s3:DeleteObject"
                    };
                    match gate.check(
                        &state,
                        ask_s3(&state, action, name, Some(&key), owners.get(name).copied()),
                    ) {
                        Ok(()) => deletion.objects.push((key, version)),
                        Err(_) => denied.push((key, version)),
                    }
                }
                if deletion.objects.is_empty() {
                    return Ok(Answer::ok("application/xml", with_denied(None, &denied)).into());
                }
                if denied.is_empty() {
                    Body::whole(request.body.clone())
                } else {
                    let digests = sent
                        .keys()
                        .filter(|name| name.as_str().starts_with("x-amz-checksum-"))
                        .cloned();
                    for name in digests.collect::<Vec<_>>() {
                        sent.remove(name);
                    }
                    for name in ["content-md5", "content-length", "x-amz-content-sha256"] {
                        sent.remove(name);
                    }
                    Body::whole(deletion.write())
                }
            }
            (None, Some(body)) => {
                let upload = Upload::new(body, check, failure.clone());
                Body::Verified(upload.map_err(|failure| failure.refusal(&handled.service))?)
            }
            (None, None) => Body::whole(request.body.clone()),
        };
        let signer = Signer {
            key_id: &key,
            region: &handled.region,
            service: "s3",
        };
        let asked = backend
            .start(&signer, request.method.clone(), &path(request, &route), sent, body)
            .await;
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
            || !denied.is_empty()
        {
            let read = backend.read(response).await;
            let mut reply = read.map_err(|error| error.refusal())?;
            if !denied.is_empty() && status.is_success() {
                reply.body = with_denied(std::str::from_utf8(&reply.body).ok(), &denied).into();
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

/// How the body of a request is verified whose head was.
fn check_of(request: &Received, key: SigningKey, signed: &Signed) -> Check {
    match request.header("x-amz-content-sha256") {
        Some(hash) if hash.len() == 64 => Check::sha256(hash),
        Some(mode) => {
            let length = request.header("x-amz-decoded-content-length");
            let chunks = ChunkStream::new(mode, key, signed, length);
            chunks.map_or(Check::Nothing, |chunks| Check::Chunks(Box::new(chunks)))
        }
        None => Check::Nothing,
    }
}

/// An operation's name where the request tells one.
fn known(operation: &str) -> Option<&str> {
    Some(operation).filter(|operation| *operation != "unknown")
}

/// The parameters of a query-protocol request that are passed on: those of the operation.
fn passed_params(params: &Params) -> Vec<(String, String)> {
    let named = params.names().filter_map(|name| Some((name, params.get(name)?)));
    named.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The answer of the upstream, read whole, with the front's id.
fn give(handled: &Handled, reply: &Reply) -> Result<Given, Refusal> {
    // An operation that the upstream does not have, or of a service that it does not run; of one that nobody has it says
    // that it failed.
    let nobodys = || {
        let xml = reply.xml();
        let message = xml.as_ref().and_then(|xml| xml.find("Message"));
        message.is_some_and(|message| message.text.contains("Operation detection failed"))
    };
    if reply.status == 501 || (reply.status == 500 && nobodys()) {
        return Err(unknown::refusal(&handled.service, known(&handled.operation)));
    }
    let failed = !reply.status.is_success();
    Ok(Answer {
        status: reply.status.as_u16(),
        headers: answered(&reply.headers, true),
        body: with_request_id(&reply.body, &handled.request_id),
        code: failed.then(|| reply.code().unwrap_or_else(|| reply.status.as_u16().to_string()).into()),
    }
    .into())
}

/// The code of an answer to HEAD, which has no body to tell it.
fn head_code(status: u16) -> &'static str {
    match status {
        403 => "AccessDenied",
        404 => "NoSuchKey",
        412 => "PreconditionFailed",
        416 => "InvalidRange",
        _ => "BadRequest",
    }
}

/// All that decides about a request to S3.
struct Decided<'a> {
    state: &'a State,
    route: &'a Route,
    request: &'a Received,
    owners: &'a HashMap<String, Owner>,
}

// === impl Decided ===

impl Decided<'_> {
    /// Asks the policies for all that an operation needs.
    fn check(&self, gate: &mut Gate, operation: &Operation) -> Result<(), Refusal> {
        let bucket = self.route.bucket.as_deref().unwrap_or_default();
        let owner = self.state.buckets.get(bucket).map(|found| found.owner);
        if let Some(expected) = self.request.header("x-amz-expected-bucket-owner")
            && owner.is_some_and(|owner| self.state[owner].account != expected)
        {
            return Err(Refusal::new(403, "AccessDenied", "Access Denied"));
        }
        for (action, on) in &operation.actions {
            gate.check(
                self.state,
                operation.ask(self.state, self.route, action, on, self.owners),
            )?;
        }
        let of_policy = ["GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"];
        if of_policy.contains(&operation.name.as_str())
            && let (Some(owner), Some(account)) = (owner, gate.who().account)
            && owner != account
        {
            return Err(Refusal::new(
                405,
                "MethodNotAllowed",
                "The specified method is not allowed against this resource.",
            ));
        }
        if operation.name == "PutBucketPolicy" {
            let text = String::from_utf8_lossy(&self.request.body);
            crate::state::Document::parse(iam_policy::PolicyKind::Resource, &text)
                .map_err(|refusal| Refusal::new(400, "MalformedPolicy", refusal.message))?;
        }
        Ok(())
    }
}

impl From<UpstreamError> for Refusal {
    fn from(error: UpstreamError) -> Self {
        error.refusal()
    }
}
