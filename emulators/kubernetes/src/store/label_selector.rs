use serde_json::Value;

use super::object::{items, text};

/// `labelSelector`: requirements, all of which must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct LabelSelector(Vec<Requirement>);

#[derive(Clone, Debug)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Clone, Debug)]
enum Operator {
    Exists,
    DoesNotExist,
    In(Vec<String>),
    NotIn(Vec<String>),
    GreaterThan(i64),
    LessThan(i64),
}

// === impl LabelSelector ===

impl LabelSelector {
    /// Reads a selector: `k=v`, `k==v`, `k!=v`, `k in (v, w)`, `k notin (v)`, `k`, `!k`, `k>1`, `k<1`, with commas.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        split(text)
            .into_iter()
            .filter(|part| !part.trim().is_empty())
            .map(|part| Requirement::parse(part.trim()))
            .collect::<Result<_, _>>()
            .map(Self)
            .map_err(|problem| format!("unable to parse requirement: {problem}"))
    }

    /// Reads `metav1.LabelSelector`. An operator that is none matches nothing.
    pub(crate) fn from_object(selector: &Value) -> Self {
        let mut requirements = Vec::new();
        for (key, value) in selector
            .get("matchLabels")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            requirements.push(Requirement {
                key: key.clone(),
                operator: Operator::In(value.as_str().map(str::to_owned).into_iter().collect()),
            });
        }
        for expression in items(selector, "/matchExpressions") {
            let values = items(expression, "/values").iter().filter_map(Value::as_str);
            let values: Vec<String> = values.map(str::to_owned).collect();
            requirements.push(Requirement {
                key: text(expression, "/key").to_owned(),
                operator: match text(expression, "/operator") {
                    "NotIn" => Operator::NotIn(values),
                    "Exists" => Operator::Exists,
                    "DoesNotExist" => Operator::DoesNotExist,
                    "In" => Operator::In(values),
                    _ => Operator::In(Vec::new()),
                },
            });
        }
        Self(requirements)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the labels of an object satisfy it.
    pub(crate) fn matches(&self, object: &Value) -> bool {
        let labels = object.pointer("/metadata/labels");
        self.0.iter().all(|requirement| {
            let label = labels.and_then(|l| l.get(&requirement.key)).and_then(Value::as_str);
            requirement.operator.holds(label)
        })
    }
}

// === impl Requirement ===

impl Requirement {
    fn parse(text: &str) -> Result<Self, String> {
        let (key, operator) = if let Some((head, tail)) = text.split_once('(') {
            let values = tail
                .strip_suffix(')')
                .ok_or_else(|| format!("found '{text}', expected: ')'"))?;
            let values = values.split(',').map(|v| v.trim().to_owned()).collect();
            match head.split_whitespace().collect::<Vec<_>>().as_slice() {
                [key, "in"] => (*key, Operator::In(values)),
                [key, "notin"] => (*key, Operator::NotIn(values)),
                _ => return Err(format!("found '{text}', expected: in, notin")),
            }
        } else if let Some((key, value)) = text.split_once("!=") {
            (key, Operator::NotIn(vec![value.trim().to_owned()]))
        } else if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
            (key, Operator::In(vec![value.trim().to_owned()]))
        } else if let Some((key, value)) = text.split_once('>') {
            (key, Operator::GreaterThan(number(value)?))
        } else if let Some((key, value)) = text.split_once('<') {
            (key, Operator::LessThan(number(value)?))
        } else if let Some(key) = text.strip_prefix('!') {
            (key, Operator::DoesNotExist)
        } else {
            (text, Operator::Exists)
        };
        let key = key.trim();
        if let (Operator::Exists, Some((_, rest))) = (&operator, key.split_once(char::is_whitespace)) {
            let found = rest.split_whitespace().next().unwrap_or_default();
            return Err(format!("found '{found}', expected: in, notin, =, ==, !=, gt, lt"));
        }
        if !is_qualified_name(key) {
            return Err(format!(
                "key: Invalid value: \"{key}\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
            ));
        }
        Ok(Self {
            key: key.to_owned(),
            operator,
        })
    }
}

// === impl Operator ===

impl Operator {
    /// An absent label satisfies `!=` and `notin`.
    fn holds(&self, label: Option<&str>) -> bool {
        match self {
            Self::Exists => label.is_some(),
            Self::DoesNotExist => label.is_none(),
            Self::In(values) => label.is_some_and(|l| values.iter().any(|v| v == l)),
            Self::NotIn(values) => label.is_none_or(|l| values.iter().all(|v| v != l)),
            Self::GreaterThan(bound) => label.and_then(|l| l.parse().ok()).is_some_and(|l: i64| l > *bound),
            Self::LessThan(bound) => label.and_then(|l| l.parse().ok()).is_some_and(|l: i64| l < *bound),
        }
    }
}

fn number(text: &str) -> Result<i64, String> {
    text.trim().parse().map_err(|_| {
        format!(
            "values[0]: Invalid value: \"{}\": for 'Gt', 'Lt' operators, the value must be an integer",
            text.trim()
        )
    })
}

/// The parts between commas that stand outside parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut inside) = (Vec::new(), 0, false);
    for (at, character) in text.char_indices() {
        match character {
            '(' => inside = true,
            ')' => inside = false,
            ',' if !inside => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// A name as labels and annotations have it: up to 63 characters, and before a slash perhaps a DNS subdomain.
pub(crate) fn is_qualified_name(key: &str) -> bool {
    let name = match key.split_once('/') {
        Some((prefix, _)) if prefix.is_empty() || prefix.len() > 253 => return false,
        Some((prefix, name))
            if prefix
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.') =>
        {
            name
        }
        Some(_) => return false,
        None => key,
    };
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    name.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("app=web", true)]
    #[case("app==db", false)]
    #[case("app!=db,tier", true)]
    #[case("app in (db, web),tier notin (back)", true)]
    #[case("!app", false)]
    #[case("!absent", true)]
    #[case("absent!=x", true)]
    #[case("absent notin (x)", true)]
    #[case("absent in (x)", false)]
    #[case("example.com/size>2", true)]
    #[case("example.com/size<2", false)]
    #[case("", true)]
    fn every_requirement_must_hold(#[case] selector: &str, #[case] expected: bool) {
        let pod = json!({"metadata": {"labels":
            {"app": "web", "tier": "front", "example.com/size": "3"}}});
        let selector = LabelSelector::parse(selector).expect("valid");
        assert_eq!(selector.matches(&pod), expected);
    }

    #[rstest]
    #[case("app in (web")]
    #[case("app within (web)")]
    #[case("-app=web")]
    #[case("a/b/c=1")]
    #[case("size>big")]
    fn a_malformed_selector_is_refused(#[case] selector: &str) {
        assert!(LabelSelector::parse(selector).is_err());
    }
}
