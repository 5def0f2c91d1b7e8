use super::rule::Rule;
use crate::{
    answer::Refusal,
    authorise::Ask,
    identity::{Identity, SessionTags},
    params::Params,
    services::{Call, tags},
};

const SOURCE_IDENTITY: Rule = Rule {
    member: "sourceIdentity",
    length: 2..=64,
    others: "_+=,.@-",
    pattern: "[\\w+=,.@-]*",
};

// === impl SessionTags ===

impl SessionTags {
    /// `Tags`, `TransitiveTagKeys` and `SourceIdentity`.
    pub(super) fn read(params: &Params) -> Result<Self, Refusal> {
        let source_identity = params.get("SourceIdentity").map(str::to_owned);
        if let Some(source) = &source_identity {
            SOURCE_IDENTITY.check(source)?;
        }
        Self {
            tags: tags::read(params, "InvalidParameterValue")?,
            transitive: params
                .list("TransitiveTagKeys", "")
                .into_iter()
                .map(str::to_owned)
                .collect(),
            source_identity,
        }
        .checked()
    }

    /// # Errors
    /// A transitive key is that of no tag.
    pub(super) fn checked(self) -> Result<Self, Refusal> {
        let absent = self.transitive.iter().find(|key| !self.has(key));
        match absent {
            None => Ok(self),
            Some(key) => Err(Refusal::new(
                400,
                "InvalidParameterValue",
                format!("The transitive tag key {key} is not among the session tags"),
            )),
        }
    }

    /// Adds what the session of a caller hands on along a chain of roles (IAM User Guide, "Chaining roles with session
    /// tags" and "Monitor and control actions taken with assumed roles").
    ///
    /// # Errors
    /// The request wants to change what was handed on.
    pub(super) fn inherit(mut self, caller: &Identity) -> Result<Self, Refusal> {
        let Identity::Role(session) = caller else {
            return Ok(self);
        };
        for key in &session.tags.transitive {
            if self.has(key) {
                return Err(Refusal::new(
                    400,
                    "InvalidParameterValue",
                    format!("The tag {key} is inherited by the role chain and cannot be passed again"),
                ));
            }
        }
        for (key, value) in &session.tags.tags {
            if session.tags.transitive.iter().any(|transitive| same(transitive, key)) {
                self.tags.push((key.clone(), value.clone()));
                self.transitive.push(key.clone());
            }
        }
        match (&session.tags.source_identity, &self.source_identity) {
            (Some(before), Some(now)) if before != now => Err(Refusal::new(
                403,
                "AccessDenied",
                "The source identity of a role chain cannot be changed",
            )),
            (Some(before), _) => {
                self.source_identity = Some(before.clone());
                Ok(self)
            }
            (None, _) => Ok(self),
        }
    }

    fn has(&self, key: &str) -> bool {
        self.tags.iter().any(|(other, _)| same(other, key))
    }

    /// Adds to a question what the session is to carry.
    pub(super) fn requested(&self, ask: Ask) -> Ask {
        let mut ask = tags::requested(ask, &self.tags);
        if !self.transitive.is_empty() {
            ask = ask.contexts("sts:TransitiveTagKeys", &self.transitive);
        }
        match &self.source_identity {
            Some(source) => ask.context("sts:SourceIdentity", source),
            None => ask,
        }
    }

    /// Asks for the actions that tags and a source identity need besides. `question` makes one about an action.
    pub(super) fn check(&self, call: &mut Call<'_>, question: impl Fn(&str) -> Ask) -> Result<(), Refusal> {
        if !self.tags.is_empty() {
            call.gate
                .check(call.state, self.requested(question("sts:TagSession")))?;
        }
        if self.source_identity.is_some() {
            call.gate
                .check(call.state, self.requested(question("sts:SetSourceIdentity")))?;
        }
        Ok(())
    }
}

fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}
