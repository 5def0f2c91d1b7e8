use jiff::Timestamp;

use super::{Claims, Issuer, UserInfo, issuer::Untrusted};
use crate::{
    registry::Registry,
    store::{Key, Resource, State, object::text},
};

/// A token that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reviewed {
    pub(crate) user: UserInfo,
    /// The audiences that were asked for and that the token is for.
    pub(crate) audiences: Vec<String>,
}

/// A server forgives clocks that differ by so much (`jwt.DefaultLeeway`), and grants an object that is being deleted as
/// much after the time of its deletion.
const LEEWAY_SECONDS: i64 = 60;

// === impl Issuer ===

impl Issuer {
    /// Whether `token` holds now for one of `audiences` (for the API server itself if there are none).
    ///
    /// # Errors
    /// Why it does not, in the words of the server; empty if there is nothing to say but that it is invalid.
    fn review(&self, state: &State, now: Timestamp, token: &str, audiences: &[String]) -> Result<Reviewed, String> {
        let claims = self.open(token).map_err(|untrusted| match untrusted {
            Untrusted::Foreign => String::new(),
            Untrusted::Forged => "go-jose/go-jose: error in cryptographic primitive".to_owned(),
        })?;
        let own = [self.url().to_owned()];
        let wanted = if audiences.is_empty() { &own } else { audiences };
        let common: Vec<String> = claims.aud.iter().filter(|aud| wanted.contains(aud)).cloned().collect();
        if common.is_empty() {
            return Err(format!(
                "token audiences {} is invalid for the target audiences {}",
                quoted(&claims.aud),
                quoted(wanted)
            ));
        }
        check(&claims, state, now)?;
        Ok(Reviewed {
            user: UserInfo::of_token(&claims),
            audiences: common,
        })
    }
}

// === impl Registry ===

impl Registry {
    /// As [`Issuer::review`], with what is there now.
    pub(crate) fn review_token(&self, token: &str, audiences: &[String]) -> Result<Reviewed, String> {
        let now = self.clock.wall();
        self.store
            .read(|state| self.issuer.review(state, now, token, audiences))
    }
}

/// Whether the time of a token is not over and what it names is there.
fn check(claims: &Claims, state: &State, now: Timestamp) -> Result<(), String> {
    let seconds = now.as_second();
    if seconds - LEEWAY_SECONDS > claims.exp {
        return Err("service account token has expired".to_owned());
    }
    if seconds + LEEWAY_SECONDS < claims.nbf {
        return Err("service account token is not valid yet".to_owned());
    }
    let binding = &claims.binding;
    let (namespace, account) = (&binding.namespace, &binding.serviceaccount);
    let found = state
        .get(&Key::new(Resource::ServiceAccounts, namespace, &account.name))
        .ok_or_else(|| format!("serviceaccounts {:?} not found", account.name))?;
    let uid = text(found, "/metadata/uid");
    if uid != account.uid {
        return Err(format!(
            "service account UID ({uid}) does not match claim ({})",
            account.uid
        ));
    }
    let invalidated = || "service account token has been invalidated".to_owned();
    if let Some(pod) = &binding.pod {
        let found = state
            .get(&Key::new(Resource::Pods, namespace, &pod.name))
            .ok_or_else(invalidated)?;
        let deleted: Option<Timestamp> = text(found, "/metadata/deletionTimestamp").parse().ok();
        if deleted.is_some_and(|at| at.as_second() < seconds - LEEWAY_SECONDS) {
            return Err(invalidated());
        }
        let uid = text(found, "/metadata/uid");
        if uid != pod.uid {
            return Err(format!(
                "pod UID ({uid}) does not match service account pod ref claim ({})",
                pod.uid
            ));
        }
    } else if let Some(node) = &binding.node {
        let found = state
            .get(&Key::new(Resource::Nodes, "", &node.name))
            .ok_or_else(invalidated)?;
        let uid = text(found, "/metadata/uid");
        if uid != node.uid {
            return Err(format!(
                "node UID ({uid}) does not match service account node ref claim ({})",
                node.uid
            ));
        }
    }
    Ok(())
}

/// A list of texts as Go's `%q` prints it.
fn quoted(list: &[String]) -> String {
    let texts: Vec<String> = list.iter().map(|text| format!("{text:?}")).collect();
    format!("[{}]", texts.join(" "))
}
