//! Sessions whose keys the upstream issues, after the front has decided that there may be one.

use bytes::Bytes;

use super::{Backend, Element, Signer, UpstreamError, details::text};
use crate::{
    params::Params,
    state::{AccountRef, SharedState},
};

/// What the upstream is told of a session; the rest the front alone needs.
const TOLD: [&str; 3] = ["RoleArn", "RoleSessionName", "DurationSeconds"];

// === impl Backend ===

impl Backend {
    /// Puts keys that the upstream issued in place of those of a session that the front has just made, so that both know
    /// whom they stand for: in the state and in `answer`, which is given back. How long they last stays the front's
    /// business, by the world's clock.
    pub(crate) async fn adopt(
        &self,
        state: &SharedState,
        params: &Params,
        answer: &Bytes,
    ) -> Result<Bytes, UpstreamError> {
        let unreadable = |what: &str| UpstreamError::Unreadable {
            operation: "AssumeRole".to_owned(),
            what: what.to_owned(),
        };
        let body = String::from_utf8_lossy(answer).into_owned();
        let made = Element::parse(&body).ok_or_else(|| unreadable("the front's own is no XML"))?;
        let made = made
            .find("Credentials")
            .ok_or_else(|| unreadable("the front's own has no keys"))?;
        let old = text(made, "AccessKeyId");
        let given = self.session(state, params).await;
        let mut state = state.write();
        let given = match given {
            Ok(given) => given,
            Err(error) => {
                state.keys.remove(old);
                return Err(error);
            }
        };
        let [id, secret, token] = ["AccessKeyId", "SecretAccessKey", "SessionToken"].map(|name| text(&given, name));
        // A key that is the same for everybody is nobody's.
        let known = state.keys.get(id).is_some();
        if known || !id.starts_with("ASIA") || secret.is_empty() || token.is_empty() {
            return Ok(answer.clone());
        }
        state.keys.replace_session(old, id, secret, token);
        self.issued().insert(id.to_owned());
        let mut body = body;
        for name in ["AccessKeyId", "SecretAccessKey", "SessionToken"] {
            // Base64 and letters alone, in which XML has nothing to escape.
            body = body.replace(text(made, name), text(&given, name));
        }
        Ok(body.into())
    }

    async fn session(&self, state: &SharedState, params: &Params) -> Result<Element, UpstreamError> {
        let account = {
            let state = state.read();
            let named = params.get("RoleArn").and_then(|arn| state.account_of_arn(arn));
            state[named.unwrap_or(AccountRef::MAIN)].account.clone()
        };
        let told = TOLD
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), params.get(name)?.to_owned())));
        let signer = Signer {
            key_id: &account,
            region: "us-east-1",
            service: "sts",
        };
        let told: Vec<(String, String)> = told.collect();
        let reply = self.query(&signer, "2011-06-15", "AssumeRole", &told).await?;
        let answer = reply.success("AssumeRole")?;
        let found = answer.find("Credentials").cloned();
        found.ok_or_else(|| UpstreamError::Unreadable {
            operation: "AssumeRole".to_owned(),
            what: "it has no Credentials".to_owned(),
        })
    }
}
