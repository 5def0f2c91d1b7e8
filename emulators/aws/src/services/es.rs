//! Amazon Elasticsearch Service (2015-01-01) and OpenSearch Service (2021-01-01), REST with JSON.

use http::Method;

use crate::{
    answer::{Answer, Refusal},
    authorise::{Ask, Gate},
    request::Received,
    state::State,
};

/// The operation that a method and path name.
pub(crate) fn operation(request: &Received) -> Option<&'static str> {
    let path = request.path.trim_end_matches('/');
    let list = ["/2015-01-01/domain", "/2021-01-01/domain"].contains(&path);
    (request.method == Method::GET && list).then_some("ListDomainNames")
}

/// An account has no domains here; who may ask for them is what matters.
pub(crate) fn list_domain_names(state: &State, gate: &mut Gate) -> Result<Answer, Refusal> {
    gate.check(state, Ask::new("es:ListDomainNames", "*").shown(""))?;
    Ok(Answer::ok("application/json", "{\"DomainNames\":[]}"))
}
