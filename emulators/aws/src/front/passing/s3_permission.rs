use std::collections::HashMap;

use crate::{
    answer::Refusal,
    authorise::Gate,
    request::Received,
    services::s3::{self, Route},
    state::{AccountRef, Document, State},
    upstream::{Operation, Owner, is_bucket_name},
};

/// All that decides about a request to S3.
pub(super) struct Decided<'a> {
    pub(super) state: &'a State,
    pub(super) route: &'a Route,
    pub(super) request: &'a Received,
    pub(super) owners: &'a HashMap<String, Owner>,
}

// === impl Decided ===

impl Decided<'_> {
    /// Asks the policies for all that an operation needs.
    pub(super) fn check(&self, gate: &mut Gate, operation: &Operation) -> Result<(), Refusal> {
        let bucket = self.route.bucket.as_deref().unwrap_or_default();
        let owner = self.state.buckets.get(bucket).map(|found| found.owner);
        if let Some(expected) = self.request.header("x-amz-expected-bucket-owner")
            && owner.is_some_and(|owner| self.state[owner].account != expected)
        {
            return Err(Refusal::new(403, "AccessDenied", "Access Denied"));
        }
        for (action, on) in &operation.actions {
            gate.check(
                self.state,
                operation.ask(self.state, self.route, action, on, self.owners),
            )?;
        }
        let of_policy = ["GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"];
        if of_policy.contains(&operation.name.as_str())
            && let (Some(owner), Some(account)) = (owner, gate.who().account)
            && owner != account
        {
            return Err(Refusal::new(
                405,
                "MethodNotAllowed",
                "The specified method is not allowed against this resource.",
            ));
        }
        if operation.name == "PutBucketPolicy" {
            let text = String::from_utf8_lossy(&self.request.body);
            Document::parse(iam_policy::PolicyKind::Resource, &text)
                .map_err(|refusal| Refusal::new(400, "MalformedPolicy", refusal.message))?;
        }
        Ok(())
    }
}

/// Whether a bucket of this name can be asked for, once policy allows it.
///
/// # Errors
/// The name is none, or a bucket that is to be made is somebody else's.
pub(super) fn check_name(
    name: &str,
    operation: &Operation,
    owner: Option<AccountRef>,
    asker: Option<AccountRef>,
    known: Option<&Owner>,
) -> Result<(), Refusal> {
    let makes = operation.name == "CreateBucket";
    if !is_bucket_name(name) {
        let refusal = match makes {
            true => Refusal::new(400, "InvalidBucketName", "The specified bucket is not valid."),
            false => Refusal::new(404, "NoSuchBucket", "The specified bucket does not exist"),
        };
        return Err(refusal.detail("BucketName", name));
    }
    // LocalStack's own refusal has no message, by which the command line fails.
    let taken = owner.is_some_and(|owner| Some(owner) != asker) || known == Some(&Owner::Stranger);
    if makes && taken {
        return Err(s3::taken(name));
    }
    Ok(())
}
