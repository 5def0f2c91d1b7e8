//! From a spanned tree to a checked scenario.

mod arn;
mod bounds;
mod bucket;
mod command;
mod expect;
mod given;
mod leaf;
mod names;
mod read;
mod request;
mod saved;
mod statements;
mod step;
mod vault;
mod walk;

use crate::{
    Errors, ScenarioError, Source, Span,
    model::Scenario,
    tree::{self, Node},
    words::TOP,
};
use walk::Walk;

/// The names that the language takes from elsewhere.
pub struct Vocabulary<'a> {
    /// The operations of a service of the AWS front, in the API's own names; `None` for a service that it does not have.
    pub operations: &'a dyn Fn(&str) -> Option<Vec<String>>,
    /// The names of AWS' managed policies that exist.
    pub managed_policies: &'a [&'a str],
}

/// Reads and checks one scenario file.
///
/// Words of the language that no world can do yet are checked like all others and listed in [`Scenario::pending`].
///
/// # Errors
/// Everything that is wrong with the file, at once; only if the text is no YAML, what is wrong with that.
pub fn load(source: Source, id: String, vocabulary: &Vocabulary<'_>) -> Result<Scenario, Errors> {
    let (tree, errors) = tree::parse(&source);
    let Some(root) = tree else {
        let missing = || {
            vec![ScenarioError::new(
                "the file is empty",
                Span::default(),
                "expected `name`, `given` and `steps`",
            )]
        };
        let errors = if errors.is_empty() { missing() } else { errors };
        return Err(Errors::of(source, errors));
    };
    let mut walk = Walk::new(&source, vocabulary, errors);
    check(&mut walk, &root);
    let (errors, pending, needs) = walk.finish();
    if !errors.is_empty() {
        return Err(Errors::of(source, errors));
    }
    Ok(read::scenario(source, id, &root, pending, needs))
}

/// The whole walk over a file.
fn check(walk: &mut Walk<'_>, root: &Node) {
    walk.structure(root, &TOP);
    if let Some(name) = root
        .get("name")
        .filter(|name| name.text().is_some_and(|text| text.trim().is_empty()))
    {
        walk.report(ScenarioError::new(
            "`name` is empty",
            name.span.clone(),
            "expected the sentence that is true",
        ));
    }
    let nodes = root
        .get("given")
        .and_then(|given| given.get("cluster"))
        .and_then(|cluster| cluster.get("nodes"));
    walk.names.default_nodes(nodes.is_none());
    let cluster = root
        .get("given")
        .and_then(|given| given.get("cluster"))
        .and_then(|cluster| cluster.get("name"));
    walk.names.cluster(cluster.and_then(Node::text));
    if root.get("given").is_some_and(|given| given.get("manifests").is_some()) {
        walk.names.manifests();
    }
    if let Some(steps) = root.get("steps") {
        step::check_all(walk, steps);
    }
    for need in root.get("needs").map(Node::items).unwrap_or_default() {
        walk.needs.extend(need.text().map(str::to_owned));
    }
}
