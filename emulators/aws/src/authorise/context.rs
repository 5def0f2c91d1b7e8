use std::net::IpAddr;

use http::{
    HeaderValue,
    header::{REFERER, USER_AGENT},
};
use iam_policy::Context;
use jiff::Timestamp;

use crate::{
    identity::{Identity, Who},
    request::Received,
    state::State,
};

/// What of a request policies can ask about, whatever is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Circumstances {
    at: Timestamp,
    from: IpAddr,
    region: String,
    user_agent: Option<HeaderValue>,
    referer: Option<HeaderValue>,
}

// === impl Circumstances ===

impl Circumstances {
    pub(crate) fn of(request: &Received, region: &str) -> Self {
        Self {
            at: request.at,
            from: request.from.ip().to_canonical(),
            region: region.to_owned(),
            user_agent: request.headers.get(USER_AGENT).cloned(),
            referer: request.headers.get(REFERER).cloned(),
        }
    }

    /// The condition keys that every request has (IAM User Guide, "AWS global condition context keys"). What follows from
    /// the principal's ARN alone the evaluator adds itself.
    pub(super) fn context(&self, who: &Who, state: &State) -> Context {
        let region = self.region.as_str();
        let mut context = Context::new();
        context.set("aws:SourceIp", self.from.to_string());
        context.set("aws:SecureTransport", "false");
        context.set("aws:ViaAWSService", "false");
        context.set("aws:RequestedRegion", region);
        context.set_time(self.at);
        for (key, header) in [("aws:UserAgent", &self.user_agent), ("aws:Referer", &self.referer)] {
            if let Some(Ok(text)) = header.as_ref().map(HeaderValue::to_str) {
                context.set(key, text);
            }
        }
        // Who is anonymous belongs to no account, and has no tags either.
        let Some(account) = who.account else {
            context.set("aws:userid", "anonymous");
            return context;
        };
        let iam = state.seen(account);
        context.set("aws:userid", who.identity.user_id(&iam.account));
        if let Some(session) = &who.session {
            context.set(
                "aws:TokenIssueTime",
                session.issued.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            );
            context.set("aws:MultiFactorAuthPresent", "false");
        }
        let tags = match &who.identity {
            Identity::User(user) => iam.users.get(&user.name).map(|user| &user.tags),
            Identity::Role(session) => {
                if let Some(instance) = &session.instance {
                    let arn = format!("arn:aws:ec2:{region}:{}:instance/{instance}", iam.account);
                    context.set("ec2:SourceInstanceARN", arn);
                }
                iam.roles.get(&session.role_name).map(|role| &role.tags)
            }
            Identity::Federated(_) | Identity::Root | Identity::Anonymous => None,
        };
        // A tag of the session takes the place of the role's of the same key, whatever the case of either.
        let own = who.identity.session_tags().map(|session| &session.tags);
        for (key, value) in tags.into_iter().flatten().chain(own.into_iter().flatten()) {
            context.set(format!("aws:PrincipalTag/{key}"), value);
        }
        if let Some(source) = who
            .identity
            .session_tags()
            .and_then(|session| session.source_identity.as_ref())
        {
            context.set("aws:SourceIdentity", source);
        }
        if let Identity::Role(session) = &who.identity
            && let Some(provider) = &session.provider
        {
            context.set("aws:FederatedProvider", provider);
        }
        context
    }
}
