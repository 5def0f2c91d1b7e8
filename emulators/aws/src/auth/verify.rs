use jiff::{SignedDuration, Timestamp};
use rolecall_clock::{Clock, real_wall};

use super::{
    AuthFailure, Payload,
    canonical::canonical_request,
    payload,
    presented::Signed,
    signature,
    signature::{SigningKey, SigningSecret},
};
use crate::{
    identity::{Identity, Key, KeyStatus, Who},
    request::Received,
    service::Service,
    state::State,
};

/// How far the date of a signature may be off.
const SKEW: SignedDuration = SignedDuration::from_mins(15);

/// Verifies signed requests against the keys of an account.
pub(crate) struct Verifier<'a> {
    pub(crate) state: &'a State,
    pub(crate) clock: &'a Clock,
}

/// What authentication found. The caller is known as soon as the key is, also of a request that is then refused.
pub(crate) struct Authenticated {
    pub(crate) who: Option<Who>,
    pub(crate) result: Result<Payload, AuthFailure>,
}

/// What of a verification takes time and depends on the request and the key's secret alone, so that it can be done while
/// nobody waits for the state.
#[derive(Debug)]
pub(crate) struct Checked {
    secret: SigningSecret,
    signature: Result<(), AuthFailure>,
    body: Result<Payload, AuthFailure>,
}

// === impl Checked ===

impl Checked {
    pub(crate) fn of(secret: SigningSecret, request: &Received, service: &Service, signed: &Signed) -> Self {
        let (signature, body) = match check_signature(&secret, request, service, signed) {
            Ok(key) => (Ok(()), payload::open(request, service, signed, &key)),
            Err(failure) => (Err(failure.clone()), Err(failure)),
        };
        Self {
            secret,
            signature,
            body,
        }
    }
}

// === impl Verifier ===

impl Verifier<'_> {
    /// In this order: the key, its token, its expiry, the signature, its date, the body. `checked` is what was found out
    /// with the secret that the key had a moment ago.
    pub(crate) fn verify(
        &self,
        request: &Received,
        service: &Service,
        signed: &Signed,
        checked: Option<Checked>,
    ) -> Authenticated {
        let Some(key) = self.state.keys.get(&signed.key_id) else {
            let id = signed.key_id.clone();
            return Authenticated {
                who: None,
                result: Err(AuthFailure::UnknownKey { id }),
            };
        };
        let checked = checked
            .filter(|checked| checked.secret.is_same(&key.secret))
            .unwrap_or_else(|| Checked::of(key.secret.clone(), request, service, signed));
        let result = self
            .check_key(key, signed)
            .and(checked.signature)
            .and_then(|()| self.check_date(signed))
            .and(checked.body);
        Authenticated {
            who: Some(Who::of(key, self.state)),
            result,
        }
    }

    /// All of it but the body, which may still be to come: for S3 alone, where a header holds the body's hash.
    pub(crate) fn verify_head(
        &self,
        request: &Received,
        service: &Service,
        signed: &Signed,
    ) -> (Option<Who>, Result<SigningKey, AuthFailure>) {
        let Some(key) = self.state.keys.get(&signed.key_id) else {
            let id = signed.key_id.clone();
            return (None, Err(AuthFailure::UnknownKey { id }));
        };
        let result = self
            .check_key(key, signed)
            .and_then(|()| check_signature(&key.secret, request, service, signed))
            .and_then(|signing_key| self.check_date(signed).map(|()| signing_key));
        (Some(Who::of(key, self.state)), result)
    }

    fn check_key(&self, key: &Key, signed: &Signed) -> Result<(), AuthFailure> {
        if key.status == KeyStatus::Inactive {
            return Err(AuthFailure::UnknownKey { id: key.id.clone() });
        }
        let Some(session) = &key.session else {
            return match &signed.token {
                // A long-lived key has no token, so that any is a wrong one.
                Some(token) => Err(AuthFailure::TokenMismatch { token: token.clone() }),
                None => Ok(()),
            };
        };
        match &signed.token {
            None => return Err(AuthFailure::TokenMissing { id: key.id.clone() }),
            Some(token) if !session.token.is(token) => {
                return Err(AuthFailure::TokenMismatch { token: token.clone() });
            }
            Some(token) if self.clock.wall() >= session.expires => {
                return Err(AuthFailure::Expired { token: token.clone() });
            }
            Some(_) => {}
        }
        // The sessions of a deleted role or user are void, also when another one now has its name.
        let iam = self.state.seen(key.account);
        let same = |id: &str, name: &str| iam.users.get(name).is_some_and(|user| user.id == id);
        let lives = match &key.identity {
            Identity::Role(session) => {
                let role = iam.roles.get(&session.role_name);
                role.is_some_and(|role| role.id == session.role_id)
            }
            Identity::User(user) => same(&user.id, &user.name),
            Identity::Federated(session) => session.by.as_ref().is_none_or(|user| same(&user.id, &user.name)),
            Identity::Root | Identity::Anonymous => true,
        };
        if lives {
            Ok(())
        } else {
            Err(AuthFailure::UnknownKey { id: key.id.clone() })
        }
    }

    /// The date of a request may agree with the world's clock or with the real one, because a real program that runs in a
    /// world whose clock was moved signs with its own. The life of a presigned link is an expiry, and ends by the world's
    /// clock alone.
    fn check_date(&self, signed: &Signed) -> Result<(), AuthFailure> {
        let world = self.clock.wall();
        let after = match signed.presigned {
            None => SKEW,
            Some(seconds) => SignedDuration::from_secs(i64::from(seconds)),
        };
        let agrees = |now: Timestamp| {
            let age = now.duration_since(signed.at);
            age >= -SKEW && age <= after
        };
        if agrees(world) || (signed.presigned.is_none() && agrees(real_wall())) {
            return Ok(());
        }
        Err(match signed.presigned {
            Some(seconds) if world.duration_since(signed.at) > after => AuthFailure::PresignedExpired {
                seconds,
                at: signed.at,
                now: world,
            },
            _ => AuthFailure::Skew {
                at: signed.at,
                now: world,
            },
        })
    }
}

fn check_signature(
    secret: &SigningSecret,
    request: &Received,
    service: &Service,
    signed: &Signed,
) -> Result<SigningKey, AuthFailure> {
    let hash = payload::hash_line(request, service, signed.presigned.is_some())?;
    let canonical = canonical_request(request, service, signed, &hash)?;
    let string_to_sign = signature::string_to_sign(signed, &canonical);
    let signing_key = secret.signing_key(&signed.scope);
    if signature::same(signing_key.sign(&string_to_sign).as_str(), &signed.signature) {
        Ok(signing_key)
    } else {
        Err(AuthFailure::Signature {
            key_id: signed.key_id.clone(),
            string_to_sign,
            provided: signed.signature.clone(),
            canonical,
        })
    }
}
