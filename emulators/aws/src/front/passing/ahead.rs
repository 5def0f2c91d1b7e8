use std::{
    future::{poll_fn, ready},
    pin::Pin,
    task::Poll,
};

use bytes::Bytes;
use http::Response;
use hyper::body::{Body as _, Incoming};

use crate::{
    auth::Presented,
    front::Front,
    request::Received,
    service::Service,
    services::s3::{Operation, Read, Route},
    upstream::{Backend, Body, Signer, UpstreamError, headers, path},
};

type Answered = Result<Response<Body>, UpstreamError>;

/// An object on its way from the upstream while it is still being verified and decided who asks, and whether it may be read:
/// that takes no time then which the upstream does not need anyway. Reading changes nothing there, and what was read for a
/// request that is refused is dropped with this.
pub(super) struct Ahead<'a>(Pin<Box<dyn Future<Output = Answered> + Send + 'a>>);

// === impl Ahead ===

impl<'a> Ahead<'a> {
    /// Lets a request go as far as it comes without waiting.
    async fn send(asking: impl Future<Output = Answered> + Send + 'a) -> Self {
        let mut ahead = Self(Box::pin(asking));
        match poll_fn(|cx| Poll::Ready(ahead.0.as_mut().poll(cx))).await {
            Poll::Ready(answered) => Self(Box::pin(ready(answered))),
            Poll::Pending => ahead,
        }
    }

    /// Waits for the head of the answer.
    pub(super) async fn answer(self) -> Answered {
        self.0.await
    }
}

// === impl Front ===

impl Front {
    /// Asks the upstream for an object before it is known whether it may be read. None where that is not to be: the request
    /// is for something else, has a body, is signed by no key that is known, is for a bucket that is not known yet, or a
    /// fault is planned for it.
    pub(super) async fn ask_ahead<'a>(
        &'a self,
        backend: &'a Backend,
        request: &Received,
        presented: &Presented,
        body: Option<&Incoming>,
    ) -> Option<Ahead<'a>> {
        let Presented::Signed(signed) = presented else {
            return None;
        };
        let is_s3 = Service::of_scope(signed.scope.service(), &request.headers) == Service::S3;
        if !is_s3 || !body.is_some_and(Incoming::is_end_stream) || self.faults().any(Service::S3.name()) {
            return None;
        }
        let (route, key_id) = {
            let state = self.state();
            let route = Route::of(request, &state).ok()?;
            let bucket = state.buckets.contains_key(route.bucket.as_deref()?);
            let account = state.keys.get(&signed.key_id)?.account;
            bucket.then(|| (route, state[account].account.clone()))?
        };
        if !matches!(
            route.operation,
            Some(Operation::Read(Read::GetObject | Read::HeadObject))
        ) {
            return None;
        }
        let (method, path, mut sent) = (request.method.clone(), path(request, &route), headers(request));
        sent.remove("x-amz-content-sha256");
        let region = signed.scope.region().to_owned();
        let asking = async move {
            let signer = Signer {
                key_id: &key_id,
                region: &region,
                service: "s3",
            };
            backend
                .start(&signer, method, &path, sent, Body::whole(Bytes::new()))
                .await
        };
        Some(Ahead::send(asking).await)
    }
}
