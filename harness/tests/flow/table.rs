//! The flow: what is asked, one after another, and what AWS says to it.

mod accounts;
mod authentication;
mod lives;
mod policies;
mod roles;
mod setting;

use serde_json::{Value, json};

use crate::step::{Ask, Expected, Signer, Step};

const READ: &str = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
const EVERYTHING: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const DENIED: Expected = Expected::Refused(403, "AccessDenied");
const ROOT: Signer = Signer::Keys("root");
const PARTNER: Signer = Signer::Keys("partner");
const ALICE: Signer = Signer::Keys("alice");
const BOB: Signer = Signer::Keys("bob");
const CAROL: Signer = Signer::Keys("carol");

/// All steps. They leave nothing behind, and the last ones look whether that is so.
pub(crate) fn steps() -> Vec<Step> {
    [
        setting::made(),
        policies::steps(),
        roles::steps(),
        authentication::steps(),
        accounts::steps(),
        lives::steps(),
        setting::removed(),
    ]
    .concat()
}

/// `what`: `by` asks `service:Operation` with `params`.
fn step(what: &str, by: Signer, operation: &'static str, params: Value, expected: Expected) -> Step {
    Step::new(what, by, Ask::Operation(operation, params), expected)
}

fn done(what: &str, by: Signer, operation: &'static str, params: Value) -> Step {
    step(what, by, operation, params, Expected::Done)
}

/// A statement that allows or denies actions on everything, as a document.
fn document(effect: &str, action: &str) -> String {
    let statement = json!({"Effect": effect, "Action": action, "Resource": "*"});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

/// A trust policy of one statement.
fn trust(principal: &Value, condition: &Value) -> String {
    let mut statement = json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
    if !condition.is_null() {
        statement["Condition"] = condition.clone();
    }
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

fn object(bucket: &str, key: &str) -> Value {
    json!({"Bucket": bucket, "Key": key})
}

fn report() -> Value {
    object("{bucket}", "report")
}
