use super::AuthFailure;

/// The credential scope of a signature, to which its key is bound: `20261124/us-east-1/s3/aws4_request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope(String);

// === impl Scope ===

impl Scope {
    /// Takes a credential apart: the access key id, which may hold no slash, and the scope.
    ///
    /// # Errors
    /// It has not five parts, or another end.
    pub(crate) fn of_credential(credential: &str) -> Result<(&str, Self), AuthFailure> {
        let (key_id, scope) = credential.split_once('/').unwrap_or((credential, ""));
        if scope.bytes().filter(|byte| *byte == b'/').count() != 3 {
            return Err(AuthFailure::Malformed(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. \
                 keyid/date/region/service/term, got '{credential}'"
            )));
        }
        let scope = Self(scope.to_owned());
        match scope.part(3) {
            "aws4_request" => Ok((key_id, scope)),
            end => Err(AuthFailure::Malformed(format!(
                "Credential must end in aws4_request, not '{end}'"
            ))),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// `20261124`
    pub(crate) fn date(&self) -> &str {
        self.part(0)
    }

    pub(crate) fn region(&self) -> &str {
        self.part(1)
    }

    pub(crate) fn service(&self) -> &str {
        self.part(2)
    }

    fn part(&self, number: usize) -> &str {
        self.0.split('/').nth(number).unwrap_or_default()
    }
}
