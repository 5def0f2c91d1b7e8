//! A request and its policies in few words.

use iam_policy::{
    Attached, Context, Decision, EvaluateError, Explanation, Policies, Policy, PolicyKind, Principal, Request,
    evaluate, explain,
};

/// The account of every resource here, and of [`user`] and [`session`].
pub(crate) const HOME: &str = "123456789012";
/// Another account.
pub(crate) const AWAY: &str = "999999999999";

/// One request under the policies given as documents.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) principal: Principal,
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) context: Context,
    pub(crate) identity: Vec<String>,
    pub(crate) boundary: Option<String>,
    pub(crate) session: Vec<String>,
    pub(crate) resource_policy: Option<(PolicyKind, String)>,
}

// === impl Ask ===

impl Ask {
    pub(crate) fn new(principal: Principal, action: &str, resource: &str) -> Self {
        Self {
            principal,
            action: action.to_owned(),
            resource: resource.to_owned(),
            context: Context::new(),
            identity: Vec::new(),
            boundary: None,
            session: Vec::new(),
            resource_policy: None,
        }
    }

    pub(crate) fn identity(mut self, document: &str) -> Self {
        self.identity.push(document.to_owned());
        self
    }

    pub(crate) fn trust(mut self, document: &str) -> Self {
        self.resource_policy = Some((PolicyKind::Trust, document.to_owned()));
        self
    }

    pub(crate) fn resource_policy(mut self, document: &str) -> Self {
        self.resource_policy = Some((PolicyKind::Resource, document.to_owned()));
        self
    }

    pub(crate) fn boundary(mut self, document: &str) -> Self {
        self.boundary = Some(document.to_owned());
        self
    }

    pub(crate) fn session(mut self, document: &str) -> Self {
        self.session.push(document.to_owned());
        self
    }

    pub(crate) fn key(mut self, key: &str, value: &str) -> Self {
        self.context.set(key, value);
        self
    }

    pub(crate) fn decide(&self) -> Decision {
        self.put(evaluate).expect("the question makes sense")
    }

    pub(crate) fn explain(&self) -> Explanation {
        self.put(explain).expect("the question makes sense")
    }

    /// Puts the question to one of the evaluator's functions.
    pub(crate) fn put<T>(
        &self,
        to: impl FnOnce(&Request<'_>, &Policies<'_>) -> Result<T, EvaluateError>,
    ) -> Result<T, EvaluateError> {
        let identity: Vec<Policy> = self
            .identity
            .iter()
            .map(|text| parse(PolicyKind::Identity, text))
            .collect();
        let boundary = self.boundary.as_ref().map(|text| parse(PolicyKind::Identity, text));
        let session: Vec<Policy> = self
            .session
            .iter()
            .map(|text| parse(PolicyKind::Identity, text))
            .collect();
        let resource = self
            .resource_policy
            .as_ref()
            .map(|(kind, text)| (*kind, parse(*kind, text)));
        let policies = Policies {
            identity: name_each("inline policy", &identity),
            boundary: boundary.as_ref().map(|policy| Attached {
                name: "the boundary".to_owned(),
                policy,
            }),
            session: name_each("session policy", &session),
            resource: resource.as_ref().map(|(kind, policy)| {
                let name = if *kind == PolicyKind::Trust {
                    "trust policy"
                } else {
                    "bucket policy"
                };
                Attached {
                    name: name.to_owned(),
                    policy,
                }
            }),
        };
        let request = Request {
            principal: &self.principal,
            action: &self.action,
            resource: &self.resource,
            resource_account: HOME,
            context: &self.context,
        };
        to(&request, &policies)
    }

    pub(crate) fn allowed(&self) -> bool {
        self.decide().is_allowed()
    }
}

fn name_each<'p>(name: &str, policies: &'p [Policy]) -> Vec<Attached<'p>> {
    let named = |(index, policy)| Attached {
        name: format!("{name} {}", index + 1),
        policy,
    };
    policies.iter().enumerate().map(named).collect()
}

pub(crate) fn parse(kind: PolicyKind, document: &str) -> Policy {
    Policy::parse(kind, document).unwrap_or_else(|error| panic!("{error}\n{document}"))
}

/// The user alice of [`HOME`].
pub(crate) fn user() -> Principal {
    Principal::User {
        arn: format!("arn:aws:iam::{HOME}:user/staff/alice"),
    }
}

/// The session `pod` of the role app/reader of [`HOME`].
pub(crate) fn session() -> Principal {
    Principal::AssumedRole {
        role_arn: format!("arn:aws:iam::{HOME}:role/app/reader"),
        session_name: "pod".to_owned(),
    }
}

/// The session `pod` of the role app/reader of [`AWAY`].
pub(crate) fn foreign_session() -> Principal {
    Principal::AssumedRole {
        role_arn: format!("arn:aws:iam::{AWAY}:role/app/reader"),
        session_name: "pod".to_owned(),
    }
}

/// The root user of an account.
/// A federated user `carol`, for whom alice asked.
pub(crate) fn federated() -> Principal {
    Principal::FederatedUser {
        account: HOME.to_owned(),
        user_arn: Some("arn:aws:iam::123456789012:user/staff/alice".to_owned()),
        name: "carol".to_owned(),
    }
}

pub(crate) fn root(account: &str) -> Principal {
    Principal::Root {
        account: account.to_owned(),
    }
}

/// A service.
pub(crate) fn service(name: &str) -> Principal {
    Principal::Service(name.to_owned())
}

/// A document of one statement without `Principal`.
pub(crate) fn statement(effect: &str, action: &str, resource: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "{effect}", "Action": "{action}", "Resource": "{resource}"}}]}}"#
    )
}

/// A bucket policy of one statement about everything; `principal` is JSON.
pub(crate) fn bucket_policy(effect: &str, principal: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17",
            "Statement": [{{"Effect": "{effect}", "Principal": {principal}, "Action": "s3:*", "Resource": "*"}}]}}"#
    )
}

/// A trust policy of one statement; `principal` is JSON.
pub(crate) fn trust_policy(effect: &str, principal: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17",
            "Statement": [{{"Effect": "{effect}", "Principal": {principal}, "Action": "sts:AssumeRole"}}]}}"#
    )
}
