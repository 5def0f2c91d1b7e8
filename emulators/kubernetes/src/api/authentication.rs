//! What is answered and not kept: tokens of service accounts, and who somebody is.

use http::{Response, StatusCode};
use hyper::{Request, body::Incoming};
use serde_json::{Map, Value, json};

use super::{
    Api, ApiError, FieldError, ResourcePath, Verb,
    body::{self, Body},
    query::Query,
    unknown_fields,
};
use crate::{
    authentication::{BoundObject, DEFAULT_EXPIRATION, Reviewed, TokenWish},
    registry::{self, timestamp},
    store::{
        Kind,
        object::{items, text},
    },
    users::Identity,
};

/// The kind of object that a path takes, if it takes one that is not kept.
pub(super) fn kind_at(path: &ResourcePath) -> Option<Kind> {
    let place = (path.group.as_str(), path.version.as_str(), path.resource.as_str());
    match (place, path.subresource.as_deref()) {
        (("", "v1", "serviceaccounts"), Some("token")) if path.namespace.is_some() => Some(Kind::TokenRequest),
        (("authentication.k8s.io", "v1", "tokenreviews"), None) => Some(Kind::TokenReview),
        (("authentication.k8s.io", "v1", "selfsubjectreviews"), None) => Some(Kind::SelfSubjectReview),
        _ => None,
    }
}

// === impl Api ===

impl Api {
    /// Answers the creation of an object of `kind`, which is all that can be done with one.
    pub(super) async fn answer_creation(
        &self,
        identity: &Identity,
        kind: Kind,
        verb: Verb,
        path: &ResourcePath,
        query: &Query,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, ApiError> {
        if kind != Kind::TokenRequest && path.name.is_some() {
            return Err(ApiError::unknown_path());
        }
        if verb != Verb::Create {
            return Err(ApiError::method_not_allowed());
        }
        if !query.text("dryRun").is_empty() {
            return Err(ApiError::bad_request(
                "dryRun is not supported by this server; leave it out",
            ));
        }
        let (head, sent) = request.into_parts();
        let sent = body::decode(kind.name(), &body::media_type(&head.headers), &body::read(sent).await?)?;
        let wanted = registry::decode(kind, sent.clone())?;
        let warnings = unknown_fields::of_body(kind, &sent, query, "CreateOptions")?;
        let answer = match kind {
            Kind::TokenRequest => self.token_request(identity, path, &wanted)?,
            Kind::TokenReview => self.token_review(&wanted)?,
            _ => self.self_subject_review(identity),
        };
        let mut response = body::json(StatusCode::CREATED, &answer);
        body::warn(&mut response, &warnings);
        Ok(response)
    }

    fn token_request(&self, identity: &Identity, path: &ResourcePath, wanted: &Value) -> Result<Value, ApiError> {
        let account = path.name.as_deref().unwrap_or_default();
        let namespace = path.namespace.as_deref().unwrap_or_default();
        for (field, is) in [("name", account), ("namespace", namespace)] {
            let said = text(wanted, &format!("/metadata/{field}"));
            if !said.is_empty() && said != is {
                let detail = format!("must match the service account {field} if specified");
                let error = FieldError::invalid(format!("metadata.{field}"), said, &detail);
                return Err(ApiError::invalid(Kind::TokenRequest, account, &[error]));
            }
        }
        let spec = &wanted["spec"];
        let bound = |field: &str| text(spec, &format!("/boundObjectRef/{field}")).to_owned();
        let wish = TokenWish {
            audiences: texts(spec, "/audiences"),
            expiration: spec["expirationSeconds"].as_i64().unwrap_or(DEFAULT_EXPIRATION),
            bound_to: spec["boundObjectRef"].is_object().then(|| BoundObject {
                api_version: bound("apiVersion"),
                kind: bound("kind"),
                name: bound("name"),
                uid: bound("uid"),
            }),
            sees_hidden: identity.is_privileged(),
        };
        let issued = self.registry.issue_token(namespace, account, &wish)?;
        let mut metadata = wanted["metadata"].as_object().cloned().unwrap_or_default();
        for (field, value) in [
            ("name", account),
            ("namespace", namespace),
            ("uid", &issued.account_uid),
            ("creationTimestamp", &timestamp(issued.issued)),
        ] {
            metadata.insert(field.to_owned(), value.into());
        }
        Ok(object(
            Kind::TokenRequest,
            Value::Object(metadata),
            json!({
                "spec": {
                    "audiences": issued.audiences,
                    "expirationSeconds": wish.expiration,
                    "boundObjectRef": spec["boundObjectRef"],
                },
                "status": {
                    "token": secrecy::ExposeSecret::expose_secret(&issued.token),
                    "expirationTimestamp": timestamp(issued.expires),
                },
            }),
        ))
    }

    fn token_review(&self, wanted: &Value) -> Result<Value, ApiError> {
        let token = text(wanted, "/spec/token");
        if token.is_empty() {
            return Err(ApiError::bad_request(
                "token is required for TokenReview in authentication",
            ));
        }
        let audiences = texts(&wanted["spec"], "/audiences");
        let status = match self.users.review(&self.registry, token, &audiences) {
            Ok(Reviewed { user, audiences }) => {
                json!({"authenticated": true, "user": user, "audiences": audiences})
            }
            Err(why) => json!({"user": {}, "error": why}),
        };
        let fields = json!({"spec": wanted["spec"], "status": status});
        Ok(object(Kind::TokenReview, wanted["metadata"].clone(), fields))
    }

    fn self_subject_review(&self, identity: &Identity) -> Value {
        let metadata = json!({"creationTimestamp": self.registry.now()});
        let fields = json!({"status": {"userInfo": identity.user_info()}});
        object(Kind::SelfSubjectReview, metadata, fields)
    }
}

fn object(kind: Kind, metadata: Value, fields: Value) -> Value {
    let metadata = if metadata.is_object() { metadata } else { json!({}) };
    let mut object = Map::new();
    object.insert("kind".to_owned(), kind.name().into());
    object.insert("apiVersion".to_owned(), kind.api_version().into());
    object.insert("metadata".to_owned(), metadata);
    object.extend(fields.as_object().cloned().unwrap_or_default());
    Value::Object(object)
}

fn texts(object: &Value, pointer: &str) -> Vec<String> {
    let list = items(object, pointer).iter();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}
