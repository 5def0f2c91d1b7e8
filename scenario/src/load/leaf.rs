//! The values that are one scalar each.

use super::{arn, command, request, statements, walk::Walk};
use crate::{
    ScenarioError, Spanned,
    duration::parse_duration,
    nearest::{list, nearest},
    tree::{Kind, Node},
    words::{NameKind, Shape},
};

/// Other readers of YAML make a date of an unquoted version.
const VERSION: &str =
    "it is the version of the policy language; quote it, since other readers of YAML make a date of it";

/// Checks a value against a shape that is neither a collection nor a choice.
pub(super) fn check(walk: &mut Walk<'_>, node: &Node, shape: &Shape) {
    match shape {
        Shape::Bool => match node.bool() {
            Some(_) => {}
            None => walk.mistyped(node, &shape.describe()),
        },
        Shape::Number { min, max } => match node.integer() {
            Some(number) if (*min..=*max).contains(&number) => {}
            Some(_) => walk.wrong(node, format!("expected {}", shape.describe()), None),
            None => walk.mistyped(node, &shape.describe()),
        },
        Shape::Scalar | Shape::Code | Shape::HeaderValue if node.raw().is_some() => header_value(walk, node, shape),
        Shape::Status => status(walk, node, shape),
        Shape::Duration => match node.raw().map(parse_duration) {
            Some(Ok(_)) => {}
            Some(Err(reason)) => walk.wrong(node, reason, None),
            None => walk.mistyped(node, &shape.describe()),
        },
        Shape::Subject => subject(walk, node, shape),
        Shape::Parameters => match node.kind {
            Kind::Map { .. } => {}
            _ => walk.mistyped(node, &shape.describe()),
        },
        _ => match node.text() {
            Some(text) => check_text(walk, node, text, shape),
            None => walk.mistyped(node, &shape.describe()),
        },
    }
}

fn check_text(walk: &mut Walk<'_>, node: &Node, text: &str, shape: &Shape) {
    match shape {
        Shape::Name(kind) => walk.refer(*kind, text, &node.span),
        Shape::NewName(kind) => new_key(walk, *kind, &Spanned::new(text.to_owned(), node.span.clone())),
        Shape::ManagedPolicy => arn::managed_policy(walk, node, text),
        Shape::Arn => arn::check(walk, node, text),
        Shape::PolicyText => arn::account_of(walk, text, &node.span),
        Shape::File => file(walk, node, text),
        Shape::PolicyVersion => match text {
            "2012-10-17" | "2008-10-17" => {}
            _ => walk.wrong(node, "expected \"2012-10-17\"", Some(VERSION.to_owned())),
        },
        Shape::StatementsText => match statements::parse(walk.source, node) {
            Ok(statements) => {
                for (text, span) in statements::arns(walk.source, node, &statements) {
                    arn::account_of(walk, &text, &span);
                }
            }
            Err((span, reason)) => {
                let error = ScenarioError::new("the policy statements are not right", span, reason);
                walk.report(error.help("as in a kops cluster spec: a JSON list of statements, or a YAML list"));
            }
        },
        Shape::TrustText => trust(walk, node, text),
        Shape::Token => match text {
            "fresh" | "none" => {}
            _ => walk.refer(NameKind::Token, text, &node.span),
        },
        Shape::AddressOf => match text.strip_prefix("of:") {
            Some(pod) => walk.refer(NameKind::Pod, pod, &node.span),
            None => walk.wrong(node, format!("expected {}", shape.describe()), None),
        },
        Shape::Request => {
            if let Err(reason) = request::parse(text) {
                walk.wrong(node, reason, None);
            } else if let Some(comment) = request::cut_off(walk.source, node) {
                let label = "this text is a comment, not part of the request";
                let error = ScenarioError::new("the request is cut off", comment, label);
                walk.report(
                    error.help("quote a request that contains ` #`; write a space after `#` if a comment is meant"),
                );
            }
        }
        Shape::CommandLine => match command::split(text) {
            Ok(words) => walk
                .needs
                .extend(words.first().map(|program| format!("exec:{program}"))),
            Err(reason) => walk.wrong(node, reason, None),
        },
        Shape::Operation => operation(walk, node, text),
        Shape::JournalEntry => journal_entry(walk, node, text),
        _ => {}
    }
}

/// A name made here.
pub(super) fn new_key(walk: &mut Walk<'_>, kind: NameKind, name: &Spanned<String>) {
    if name.value.trim().is_empty() {
        let title = format!("a {} without a name", kind.noun());
        return walk.report(ScenarioError::new(title, name.span.clone(), "expected a name"));
    }
    if kind == NameKind::Account && matches!(name.value.as_str(), "self" | "aws") {
        let title = format!("no account can be named `{}`", name.value);
        let label = match name.value.as_str() {
            "self" => "in an ARN this is the scenario's own account",
            _ => "in an ARN this is AWS itself",
        };
        return walk.report(ScenarioError::new(title, name.span.clone(), label));
    }
    if kind == NameKind::Pod
        && let Some((namespace, pod)) = name.value.split_once('/')
    {
        if namespace.is_empty() || pod.is_empty() || pod.contains('/') {
            let label = "expected `pod` or `namespace/pod`";
            return walk.report(ScenarioError::new("this is no name of a pod", name.span.clone(), label));
        }
        walk.refer(NameKind::Namespace, namespace, &name.span);
    }
    walk.names.define(kind, name.clone());
}

fn header_value(walk: &mut Walk<'_>, node: &Node, shape: &Shape) {
    if matches!(shape, Shape::HeaderValue)
        && let Some(pod) = node.raw().and_then(|text| text.strip_prefix("of:"))
    {
        walk.refer(NameKind::Pod, pod, &node.span);
    }
}

/// `404`, or `4xx`.
fn status(walk: &mut Walk<'_>, node: &Node, shape: &Shape) {
    let right = node.raw().is_some_and(|text| match text.as_bytes() {
        [b'1'..=b'5', b'x', b'x'] => true,
        [b'1'..=b'5', rest @ ..] => rest.len() == 2 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    });
    match (right, node.raw()) {
        (true, _) => {}
        (false, Some(_)) => walk.wrong(node, format!("expected {}", shape.describe()), None),
        (false, None) => walk.mistyped(node, &shape.describe()),
    }
}

fn subject(walk: &mut Walk<'_>, node: &Node, shape: &Shape) {
    match (&node.kind, node.text()) {
        (_, Some("proxy")) => {}
        (_, Some(_)) => walk.wrong(node, format!("expected {}", shape.describe()), None),
        (Kind::Map { entries, .. }, _) => match entries.as_slice() {
            [entry] if entry.key.value == "proxy" => {
                if entry.value.text().is_some_and(|node| node.starts_with("master-")) {
                    let label = "a node named `master-*` is a master, and no proxy runs there";
                    walk.report(ScenarioError::new(
                        "no proxy runs here",
                        entry.value.span.clone(),
                        label,
                    ));
                } else {
                    walk.shape(&entry.value, &Shape::Name(NameKind::Node));
                }
            }
            _ => walk.wrong(node, format!("expected {}", shape.describe()), None),
        },
        _ => walk.mistyped(node, &shape.describe()),
    }
}

fn file(walk: &mut Walk<'_>, node: &Node, text: &str) {
    if text.starts_with('/') || text.split('/').any(|part| part == "..") {
        walk.wrong(node, "expected a path below fixtures/, without `..`", None);
    } else if !text.contains('.') {
        walk.wrong(node, format!("expected {}", Shape::File.describe()), None);
    }
}

fn trust(walk: &mut Walk<'_>, node: &Node, text: &str) {
    const WORDS: [&str; 4] = ["node", "ec2", "account", "none"];
    if WORDS.contains(&text) {
    } else if let Some(user) = text.strip_prefix("user:") {
        walk.refer(NameKind::User, user, &node.span);
    } else if let Some(role) = text.strip_prefix("role:") {
        walk.refer(NameKind::Role, role, &node.span);
    } else if let Some(account) = text.strip_prefix("service_account:") {
        walk.needs.insert("web_identity".to_owned());
        service_account(walk, node, account);
    } else if text.contains(['.', '/']) {
        file(walk, node, text);
    } else {
        let label = match nearest(text, WORDS) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("expected {}", Shape::TrustText.describe()),
        };
        walk.wrong(node, label, None);
    }
}

/// `NAMESPACE/NAME`, or a name in the namespace `default`.
fn service_account(walk: &mut Walk<'_>, node: &Node, account: &str) {
    let (namespace, name) = account.split_once('/').unwrap_or(("default", account));
    if namespace.is_empty() || name.is_empty() || name.contains('/') {
        return walk.wrong(node, "expected `service_account:NAMESPACE/NAME`", None);
    }
    walk.refer(NameKind::Namespace, namespace, &node.span);
}

/// The service and the name of `service:Operation`, or why it is none.
fn split_operation(text: &str) -> Option<(&str, &str)> {
    let (service, name) = text.split_once(':')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (!service.is_empty() && service.chars().all(plain) && !name.is_empty()).then_some((service, name))
}

fn operation(walk: &mut Walk<'_>, node: &Node, text: &str) {
    let Some((service, name)) = split_operation(text) else {
        let help = "operations are named as in the API: `s3:ListBuckets`".to_owned();
        return walk.wrong(node, format!("expected {}", Shape::Operation.describe()), Some(help));
    };
    let Some(operations) = (walk.vocabulary.operations)(service) else {
        return walk.pending(
            text,
            format!("the AWS front has no service `{service}`"),
            node.span.clone(),
        );
    };
    if operations.iter().any(|operation| operation == name) {
        return;
    }
    let names = || operations.iter().map(String::as_str);
    let (label, help) = match nearest(name, names()) {
        Some(meant) => (
            format!("did you mean `{service}:{meant}`?"),
            "operations have the API's own names, which are not always those of a policy's actions".to_owned(),
        ),
        None => (
            "not an operation that the AWS front has".to_owned(),
            format!("{service} has {}", list(names())),
        ),
    };
    walk.report(ScenarioError::new(format!("unknown operation `{text}`"), node.span.clone(), label).help(help));
}

/// What Vault was asked: `*`, or a method and a path such as `GET aws/sts/readonly`.
fn vault_request(walk: &mut Walk<'_>, node: &Node, request: &str) {
    let help = "write it as \"vault:GET aws/sts/readonly\" or \"vault:*\"".to_owned();
    let Some((method, path)) = request.split_once(' ') else {
        if request != "*" {
            walk.wrong(node, "expected a method and a path", Some(help));
        }
        return;
    };
    if !["*", "GET", "POST", "PUT", "DELETE", "LIST"].contains(&method) {
        walk.wrong(node, "expected GET, POST, PUT, DELETE, LIST or `*` first", Some(help));
    } else if let Some(path) = path.strip_prefix("/v1/").or_else(|| path.strip_prefix("v1/")) {
        let help = format!("write it as \"vault:{method} {path}\"");
        walk.wrong(node, "the path is written without `/v1/`", Some(help));
    } else if path.trim().is_empty() {
        walk.wrong(node, "expected a path after the method", Some(help));
    }
}

/// What a service of AWS was asked. The front records more operations than a step can call, so only what looks like a
/// slip of the pen is refused.
fn recorded(walk: &mut Walk<'_>, node: &Node, text: &str, service: &str, name: &str) {
    let known = (walk.vocabulary.operations)(service).unwrap_or_default();
    let is_known = known.iter().any(|operation| operation == name);
    let is_one = name.starts_with(|first: char| first.is_ascii_uppercase());
    let slip = nearest(name, known.iter().map(String::as_str)).is_some();
    if known.is_empty() || (!is_known && (slip || !is_one)) {
        operation(walk, node, text);
    }
}

fn journal_entry(walk: &mut Walk<'_>, node: &Node, text: &str) {
    match split_operation(text) {
        Some(("vault", request)) => {
            walk.needs.insert("vault".to_owned());
            vault_request(walk, node, request);
        }
        Some(("imds" | "kubernetes", "*")) => {}
        Some((service @ ("imds" | "kubernetes"), _)) => {
            walk.wrong(
                node,
                format!("expected `{service}:*`"),
                Some("narrow it with `where: { path: … }`".to_owned()),
            );
        }
        Some((service, "*")) if (walk.vocabulary.operations)(service).is_some() => {}
        Some((service, "*")) => {
            walk.pending(
                text,
                format!("the AWS front has no service `{service}`"),
                node.span.clone(),
            );
        }
        Some((service, name)) => recorded(walk, node, text, service, name),
        None => {
            let help = "such as `sts:AssumeRole`, `imds:*` or \"vault:GET aws/sts/readonly\"".to_owned();
            walk.wrong(node, format!("expected {}", Shape::JournalEntry.describe()), Some(help));
        }
    }
}
