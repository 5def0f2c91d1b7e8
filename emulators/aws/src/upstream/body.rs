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

use super::driven::Driven;
use crate::auth::{AuthFailure, ChunkStream};

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
    /// So too, and whoever reads it drives its connection.
    Driven(Driven),
    /// It passes through and is verified at its end.
    Verified(Upload),
}

/// How a body is verified that passes.
#[derive(Debug)]
pub(crate) enum Check {
    /// Its own bytes are not signed.
    Nothing,
    /// The hash that was signed, in hexadecimal digits.
    Hash(Sha256, String),
    Chunks(Box<ChunkStream>),
}

/// A request's body on its way. Its last part is held back until all of it agrees with what was signed, so that the
/// upstream never gets a whole body that nobody signed.
#[derive(Debug)]
pub(crate) struct Upload {
    body: Incoming,
    check: Check,
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
            Self::Driven(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Self::Verified(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Passing(body) => body.is_end_stream(),
            Self::Driven(body) => body.is_end_stream(),
            Self::Verified(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Passing(body) => body.size_hint(),
            Self::Driven(body) => body.size_hint(),
            Self::Verified(body) => body.size_hint(),
        }
    }
}

// === impl Check ===

impl Check {
    /// A body whose SHA-256 was signed.
    pub(crate) fn sha256(claimed: &str) -> Self {
        Self::Hash(Sha256::new(), claimed.to_owned())
    }

    /// At the body's end.
    ///
    /// # Errors
    /// What came is not what was signed.
    pub(crate) fn verify(&self) -> Result<(), AuthFailure> {
        let (hash, claimed) = match self {
            Self::Nothing => return Ok(()),
            Self::Hash(hash, claimed) => (hash, claimed),
            Self::Chunks(chunks) => return chunks.end(),
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

// === impl Upload ===

impl Upload {
    /// # Errors
    /// The body is empty and must not be.
    pub(crate) fn new(body: Incoming, check: Check, failure: UploadFailure) -> Result<Self, AuthFailure> {
        let upload = Self {
            ended: body.is_end_stream(),
            body,
            check,
            held: None,
            failure,
            idle: Box::pin(tokio::time::sleep(IDLE)),
        };
        if upload.ended {
            upload.check.verify()?;
        }
        Ok(upload)
    }

    fn look_at(&mut self, bytes: &[u8]) -> Result<(), AuthFailure> {
        match &mut self.check {
            Check::Nothing => Ok(()),
            Check::Hash(hash, _) => {
                hash.update(bytes);
                Ok(())
            }
            Check::Chunks(chunks) => chunks.take(bytes),
        }
    }

    /// Breaks the upload off.
    fn stop(&self, failure: AuthFailure) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.failure.set(failure);
        Poll::Ready(Some(Err("the body is not the one that was signed".into())))
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
                    if let Err(failure) = this.look_at(&bytes) {
                        return this.stop(failure);
                    }
                    if let Some(before) = this.held.replace(bytes) {
                        return Poll::Ready(Some(Ok(Frame::data(before))));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                None => {
                    if let Err(failure) = this.check.verify() {
                        return this.stop(failure);
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
