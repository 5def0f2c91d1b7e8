use crate::{
    answer::{Answer, Refusal},
    front::pipeline::Handled,
    services::unknown,
    upstream::{Body, Reply, UpstreamError, answered, with_ids},
};

/// An answer, with its body where that comes from the upstream as it is.
pub(super) struct Given {
    pub(super) answer: Answer,
    pub(super) stream: Option<Body>,
}

impl From<Answer> for Given {
    fn from(answer: Answer) -> Self {
        Self { answer, stream: None }
    }
}

/// The answer of the upstream, read whole, with the front's ids.
pub(super) fn give(handled: &Handled, reply: Reply) -> Result<Given, Refusal> {
    // An operation that the upstream does not have, or of a service that it does not run; of one that nobody has it says
    // that it failed.
    let nobodys = || {
        let xml = reply.xml();
        let message = xml.as_ref().and_then(|xml| xml.find("Message"));
        message.is_some_and(|message| message.text.contains("Operation detection failed"))
    };
    if reply.status == 501 || (reply.status == 500 && nobodys()) {
        return Err(unknown::refusal(&handled.service, known(&handled.operation)));
    }
    let failed = !reply.status.is_success();
    Ok(Answer {
        status: reply.status.as_u16(),
        body: with_ids(&reply.body, &handled.ids),
        code: failed.then(|| reply.code().unwrap_or_else(|| reply.status.as_u16().to_string()).into()),
        headers: answered(reply.headers, true),
    }
    .into())
}

/// The code of an answer to HEAD, which has no body to tell it.
pub(super) fn head_code(status: u16) -> &'static str {
    match status {
        403 => "AccessDenied",
        404 => "NoSuchKey",
        412 => "PreconditionFailed",
        416 => "InvalidRange",
        _ => "BadRequest",
    }
}

/// An operation's name where the request tells one.
pub(super) fn known(operation: &str) -> Option<&str> {
    Some(operation).filter(|operation| *operation != "unknown")
}

impl From<UpstreamError> for Refusal {
    fn from(error: UpstreamError) -> Self {
        error.refusal()
    }
}
