use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use sha2::{Digest, Sha256};
use tokio::time::Sleep;

use crate::auth::AuthFailure;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Time between two parts of a body that a peer may take.
const IDLE: Duration = Duration::from_secs(60);

/// A body of an answer, or of a request to the upstream.
#[derive(Debug)]
pub(crate) enum Body {
    /// It is here.
    Whole(Full<Bytes>),
    /// It passes through as it comes.
    Passing(Incoming),
    /// It passes through and is verified at its end.
    Verified(Upload),
}

/// A request's body on its way. Its last part is held back until the hash of all agrees with the one that was signed, so
/// that the upstream never gets a whole body that nobody signed.
#[derive(Debug)]
pub(crate) struct Upload {
    body: Incoming,
    hash: Option<(Sha256, String)>,
    held: Option<Bytes>,
    ended: bool,
    failure: UploadFailure,
    idle: Pin<Box<Sleep>>,
}

/// Why an upload was broken off, if it was.
#[derive(Clone, Debug, Default)]
pub(crate) struct UploadFailure(Arc<Mutex<Option<AuthFailure>>>);

// === impl Body ===

impl Body {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Full::new(bytes.into()))
    }
}

impl From<Full<Bytes>> for Body {
    fn from(body: Full<Bytes>) -> Self {
        Self::Whole(body)
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Self::Passing(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Self::Verified(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Passing(body) => body.is_end_stream(),
            Self::Verified(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Passing(body) => body.size_hint(),
            Self::Verified(body) => body.size_hint(),
        }
    }
}

// === impl Upload ===

impl Upload {
    /// `sha256`: the hash that was signed, in hexadecimal digits; none where the body's own is not.
    ///
    /// # Errors
    /// The body is empty and the hash is not that of nothing.
    pub(crate) fn new(body: Incoming, sha256: Option<&str>, failure: UploadFailure) -> Result<Self, AuthFailure> {
        let upload = Self {
            ended: body.is_end_stream(),
            body,
            hash: sha256.map(|claimed| (Sha256::new(), claimed.to_owned())),
            held: None,
            failure,
            idle: Box::pin(tokio::time::sleep(IDLE)),
        };
        if upload.ended {
            upload.verify()?;
        }
        Ok(upload)
    }

    fn verify(&self) -> Result<(), AuthFailure> {
        let Some((hash, claimed)) = &self.hash else {
            return Ok(());
        };
        let computed = hex::encode(hash.clone().finalize());
        if claimed.eq_ignore_ascii_case(&computed) {
            Ok(())
        } else {
            Err(AuthFailure::Payload {
                claimed: claimed.clone(),
                computed,
            })
        }
    }
}

impl hyper::body::Body for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        loop {
            if this.ended {
                return Poll::Ready(this.held.take().map(|bytes| Ok(Frame::data(bytes))));
            }
            let Poll::Ready(next) = Pin::new(&mut this.body).poll_frame(cx) else {
                ready!(this.idle.as_mut().poll(cx));
                return Poll::Ready(Some(Err("the client sent no more of the body".into())));
            };
            this.idle.set(tokio::time::sleep(IDLE));
            match next {
                Some(Ok(frame)) => {
                    // Trailers of HTTP itself take no part in a signature, and are not passed on.
                    let Ok(bytes) = frame.into_data() else { continue };
                    if let Some((hash, _)) = &mut this.hash {
                        hash.update(&bytes);
                    }
                    if let Some(before) = this.held.replace(bytes) {
                        return Poll::Ready(Some(Ok(Frame::data(before))));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                None => {
                    if let Err(failure) = this.verify() {
                        this.failure.set(failure);
                        return Poll::Ready(Some(Err("the body is not the one that was signed".into())));
                    }
                    this.ended = true;
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended && self.held.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let held = self.held.as_ref().map_or(0, |bytes| bytes.len() as u64);
        let rest = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(held));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(held));
        }
        hint
    }
}

// === impl UploadFailure ===

impl UploadFailure {
    fn set(&self, failure: AuthFailure) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
    }

    pub(crate) fn take(&self) -> Option<AuthFailure> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
