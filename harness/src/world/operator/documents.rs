//! Policy documents as a scenario writes them → as AWS takes them.

use std::{collections::BTreeMap, path::PathBuf};

use rolecall_scenario::model::{Document, StatementList, Trust};
use serde_json::{Value, json};

use super::web_identity::AWS_AUDIENCE;
use crate::world::WorldError;

/// Turns the words of a scenario into documents of one account.
#[derive(Clone, Debug)]
pub(crate) struct Documents {
    /// The scenario's own account, where the nodes are.
    pub(crate) account: String,
    /// Further accounts: their numbers by the names that a scenario has for them.
    pub(crate) accounts: BTreeMap<String, String>,
    pub(crate) node_role: String,
    /// Who signs the tokens of service accounts, a URL, where IAM is told of it.
    pub(crate) issuer: Option<String>,
    /// The folder of `fixtures/`.
    pub(crate) fixtures: PathBuf,
}

// === impl Documents ===

impl Documents {
    /// ARN of a role by the word a scenario has for it.
    pub(crate) fn role_arn(&self, word: &str) -> String {
        if word.starts_with("arn:") {
            self.own(word)
        } else {
            format!("arn:aws:iam::{}:role/{word}", self.account)
        }
    }

    /// ARN of a managed policy, by name or ARN.
    pub(crate) fn policy_arn(&self, word: &str) -> String {
        if word.starts_with("arn:") {
            self.own(word)
        } else {
            format!("arn:aws:iam::aws:policy/{word}")
        }
    }

    /// Puts the accounts' numbers in the place of `self` and of the further accounts' names.
    pub(crate) fn own(&self, text: &str) -> String {
        let own = text.replace("::self:", &format!("::{}:", self.account));
        self.accounts.iter().fold(own, |text, (name, number)| {
            text.replace(&format!("::{name}:"), &format!("::{number}:"))
        })
    }

    /// A document as JSON text.
    ///
    /// # Errors
    /// Its file cannot be read.
    pub(crate) fn text(&self, document: &Document) -> Result<String, WorldError> {
        match document {
            Document::Inline(value) => Ok(self.own(&value.to_string())),
            Document::File(path) => {
                let path = self.fixtures.join(path);
                let text = std::fs::read_to_string(&path)
                    .map_err(|error| WorldError::doing(format_args!("read {}", path.display()), &error))?;
                Ok(self.own(&text))
            }
        }
    }

    /// A trust policy as JSON text.
    ///
    /// # Errors
    /// Its file cannot be read, or it trusts service accounts and IAM is told of no issuer.
    pub(crate) fn trust(&self, trust: &Trust) -> Result<String, WorldError> {
        let service =
            |name: &str| json!({"Effect": "Allow", "Principal": {"Service": name}, "Action": "sts:AssumeRole"});
        let aws = |arn: String| json!({"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"});
        let statements = match trust {
            Trust::Node { external_id } => {
                let mut node = aws(self.role_arn(&self.node_role));
                if let Some(id) = external_id {
                    node["Condition"] = json!({"StringEquals": {"sts:ExternalId": id}});
                }
                vec![service("ec2.amazonaws.com"), node]
            }
            Trust::Ec2 => vec![service("ec2.amazonaws.com")],
            Trust::Account => vec![aws(format!("arn:aws:iam::{}:root", self.account))],
            // A trust policy must name somebody; no world has a Lambda function.
            Trust::None => vec![service("lambda.amazonaws.com")],
            Trust::User(name) => vec![aws(format!("arn:aws:iam::{}:user/{name}", self.account))],
            Trust::Role(name) => vec![aws(self.role_arn(match name.as_str() {
                "node" => &self.node_role,
                other => other,
            }))],
            Trust::ServiceAccount { namespace, name } => {
                vec![self.web_identity(&format!("system:serviceaccount:{namespace}:{name}"))?]
            }
            Trust::Document(document) => return self.text(document),
        };
        Ok(json!({"Version": "2012-10-17", "Statement": statements}).to_string())
    }

    /// As EKS writes it (*IAM roles for service accounts*): the issuer is the principal, its token names the pod's account.
    fn web_identity(&self, subject: &str) -> Result<Value, WorldError> {
        let issuer = self.issuer.as_deref();
        let issuer = issuer.ok_or_else(|| WorldError::new("IAM knows no issuer of service account tokens here"))?;
        let provider = issuer.trim_start_matches("https://");
        Ok(json!({
            "Effect": "Allow",
            "Principal": {"Federated": format!("arn:aws:iam::{}:oidc-provider/{provider}", self.account)},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {
                format!("{provider}:sub"): subject,
                format!("{provider}:aud"): AWS_AUDIENCE,
            }}
        }))
    }

    /// kops' `additionalPolicies` as a document; `None` for an empty list, which IAM does not take.
    pub(crate) fn statements(&self, list: &StatementList) -> Option<String> {
        if list.0.is_empty() {
            return None;
        }
        let document = json!({"Version": "2012-10-17", "Statement": list.0});
        Some(self.own(&document.to_string()))
    }
}

/// The chapter's additional policy of the nodes, where a scenario says nothing else.
pub(super) fn assume_any_role() -> StatementList {
    let statement: Value = json!({"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": ["*"]});
    StatementList(vec![statement])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents() -> Documents {
        Documents {
            account: "111122223333".into(),
            accounts: BTreeMap::from([("partner".into(), "444455556666".into())]),
            node_role: "nodes.c".into(),
            issuer: Some("https://issuer.c/id".into()),
            fixtures: PathBuf::new(),
        }
    }

    #[test]
    fn an_empty_list_of_additional_policies_makes_no_document() {
        assert_eq!(documents().statements(&StatementList(vec![])), None);
    }

    #[test]
    fn the_account_word_self_becomes_the_account() {
        assert_eq!(
            documents().role_arn("arn:aws:iam::self:role/a/R"),
            "arn:aws:iam::111122223333:role/a/R"
        );
        assert_eq!(
            documents().own("arn:aws:iam::partner:role/R"),
            "arn:aws:iam::444455556666:role/R"
        );
        assert_eq!(documents().role_arn("a/R"), "arn:aws:iam::111122223333:role/a/R");
    }

    #[test]
    fn a_trusted_service_account_is_the_subject_of_its_issuers_token() {
        let trust = Trust::ServiceAccount {
            namespace: "team-b".into(),
            name: "app".into(),
        };
        let text = documents().trust(&trust).expect("a document");
        let document: Value = serde_json::from_str(&text).expect("JSON");
        let statement = &document["Statement"][0];
        assert_eq!(
            statement["Principal"]["Federated"],
            "arn:aws:iam::111122223333:oidc-provider/issuer.c/id"
        );
        assert_eq!(
            statement["Condition"]["StringEquals"],
            json!({"issuer.c/id:sub": "system:serviceaccount:team-b:app", "issuer.c/id:aud": "sts.amazonaws.com"})
        );
        let nobody = Documents {
            issuer: None,
            ..documents()
        };
        assert!(nobody.trust(&trust).is_err());
    }

    #[test]
    fn an_external_id_binds_the_node_role_alone() {
        let text = documents()
            .trust(&Trust::Node {
                external_id: Some("X".into()),
            })
            .expect("a document");
        let document: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(document["Statement"][0].get("Condition"), None);
        assert_eq!(
            document["Statement"][1]["Condition"]["StringEquals"]["sts:ExternalId"],
            "X"
        );
    }
}
