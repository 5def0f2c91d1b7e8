use serde_json::Value;

use super::Resource;

/// `fieldSelector`: terms `field=value`, `field==value` or `field!=value`, all of which must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldSelector(Vec<Term>);

#[derive(Clone, Debug)]
struct Term {
    field: String,
    value: String,
    equal: bool,
}

// === impl FieldSelector ===

impl FieldSelector {
    /// Reads a selector over the fields that `resource` lets be selected.
    pub(crate) fn parse(text: &str, resource: Resource) -> Result<Self, String> {
        let mut terms = Vec::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (field, value, equal) = if let Some((field, value)) = part.split_once("!=") {
                (field, value, false)
            } else if let Some((field, value)) = part.split_once("==") {
                (field, value, true)
            } else if let Some((field, value)) = part.split_once('=') {
                (field, value, true)
            } else {
                return Err(format!("invalid selector: '{text}'; can't understand '{part}'"));
            };
            let known = field == "metadata.name"
                || (field == "metadata.namespace" && resource.is_namespaced())
                || resource.selectable_fields().contains(&field);
            if !known {
                return Err(format!("field label not supported: {field}"));
            }
            terms.push(Term {
                field: field.to_owned(),
                value: value.to_owned(),
                equal,
            });
        }
        Ok(Self(terms))
    }

    /// A selector for one object by its name.
    pub(crate) fn name(name: &str) -> Self {
        Self(vec![Term {
            field: "metadata.name".to_owned(),
            value: name.to_owned(),
            equal: true,
        }])
    }

    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        self.0
            .iter()
            .all(|term| (value(object, &term.field) == term.value) == term.equal)
    }
}

/// A field's value as text: an absent one is empty, an absent boolean is `false`, as in the server's own types.
fn value(object: &Value, field: &str) -> String {
    match object.pointer(&format!("/{}", field.replace('.', "/"))) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(flag)) => flag.to_string(),
        _ if matches!(field, "spec.hostNetwork" | "spec.unschedulable") => "false".to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("spec.nodeName=node-1", true)]
    #[case("spec.nodeName==node-2", false)]
    #[case("spec.nodeName!=node-2,status.phase=Running", true)]
    #[case("status.phase!=Running", false)]
    #[case("spec.hostNetwork=false", true)]
    #[case("status.podIP=", true)]
    #[case("metadata.name=a,metadata.namespace=default", true)]
    #[case("", true)]
    fn every_term_must_hold(#[case] selector: &str, #[case] expected: bool) {
        let pod = json!({
            "metadata": {"name": "a", "namespace": "default"},
            "spec": {"nodeName": "node-1"},
            "status": {"phase": "Running"},
        });
        let selector = FieldSelector::parse(selector, Resource::Pods).expect("valid");
        assert_eq!(selector.matches(&pod), expected);
    }

    #[rstest]
    #[case("spec.containers=x", Resource::Pods, "field label not supported: spec.containers")]
    #[case(
        "metadata.namespace=x",
        Resource::Nodes,
        "field label not supported: metadata.namespace"
    )]
    #[case(
        "status.phase",
        Resource::Pods,
        "invalid selector: 'status.phase'; can't understand 'status.phase'"
    )]
    fn what_cannot_be_selected_is_refused(#[case] selector: &str, #[case] resource: Resource, #[case] message: &str) {
        assert_eq!(FieldSelector::parse(selector, resource).unwrap_err(), message);
    }
}
