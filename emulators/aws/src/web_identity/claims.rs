use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// What a token says. Other claims are not looked at.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) sub: String,
    #[serde(deserialize_with = "one_or_many")]
    pub(crate) aud: Vec<String>,
    /// Seconds since 1970.
    pub(crate) exp: i64,
    pub(crate) nbf: Option<i64>,
    #[serde(default, deserialize_with = "one_or_many")]
    pub(crate) amr: Vec<String>,
    /// What the session is to carry (IAM User Guide, "Pass session tags in AWS STS").
    #[serde(rename = "https://aws.amazon.com/tags", default)]
    pub(crate) session: SessionClaims,
    #[serde(rename = "https://aws.amazon.com/source_identity")]
    pub(crate) source_identity: Option<String>,
}

/// Session tags that the issuer gives.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SessionClaims {
    /// Each with a list of one value.
    pub(crate) principal_tags: BTreeMap<String, Vec<String>>,
    pub(crate) transitive_tag_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(text) => vec![text],
        OneOrMany::Many(texts) => texts,
    })
}
