use jiff::{Timestamp, Unit};
use serde::Serialize;

use super::Credentials;

/// The metadata service's document; the order and spelling of the keys are its own.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document<'a> {
    code: &'a str,
    last_updated: String,
    r#type: &'a str,
    access_key_id: &'a str,
    secret_access_key: &'a str,
    token: &'a str,
    expiration: String,
}

/// The credential document of the metadata service, as JSON. Times are UTC to the second, with a `Z`.
pub fn document(credentials: &Credentials) -> String {
    let document = Document {
        code: "Success",
        last_updated: seconds(credentials.obtained),
        r#type: "AWS-HMAC",
        access_key_id: &credentials.access_key_id,
        secret_access_key: &credentials.secret_access_key,
        token: &credentials.session_token,
        expiration: seconds(credentials.expiration),
    };
    // Strings alone cannot fail to serialize; an empty answer would be refused by every client.
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

pub(crate) fn seconds(time: Timestamp) -> String {
    let whole = time.round(
        jiff::TimestampRound::new()
            .smallest(Unit::Second)
            .mode(jiff::RoundMode::Floor),
    );
    whole.unwrap_or(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_the_metadata_services_own() {
        let credentials = Credentials {
            access_key_id: "ASIAEXAMPLE".into(),
            secret_access_key: "secret\"quoted".into(),
            session_token: "token".into(),
            expiration: "2026-11-24T12:30:00Z".parse().unwrap(),
            obtained: "2026-11-24T12:00:00.999Z".parse().unwrap(),
        };
        assert_eq!(
            document(&credentials),
            r#"{
  "Code": "Success",
  "LastUpdated": "2026-11-24T12:00:00Z",
  "Type": "AWS-HMAC",
  "AccessKeyId": "ASIAEXAMPLE",
  "SecretAccessKey": "secret\"quoted",
  "Token": "token",
  "Expiration": "2026-11-24T12:30:00Z"
}"#
        );
    }

    #[test]
    fn secrets_never_show_in_debug() {
        let credentials = Credentials {
            access_key_id: "ASIAEXAMPLE".into(),
            secret_access_key: "hidden-key".into(),
            session_token: "hidden-token".into(),
            expiration: Timestamp::UNIX_EPOCH,
            obtained: Timestamp::UNIX_EPOCH,
        };
        assert!(!format!("{credentials:?}").contains("hidden"));
    }
}
