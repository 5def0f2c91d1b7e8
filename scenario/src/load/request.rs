//! A raw metadata request: `GET /latest/meta-data/`.

use crate::{
    Source, Span,
    tree::{Kind, Node, Style},
};

/// The method and the target. The target is whatever follows the first space: a scenario may want to send nonsense.
///
/// # Errors
/// What is wrong with it, a fragment.
pub(super) fn parse(text: &str) -> Result<(&str, &str), String> {
    let Some((method, target)) = text.split_once(' ').filter(|(_, target)| !target.trim().is_empty()) else {
        let example = if text.starts_with('/') {
            format!("GET {text}")
        } else {
            "GET /latest/meta-data/".to_owned()
        };
        return Err(format!("expected a method and a target, such as `{example}`"));
    };
    if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err("expected a method in capitals first, such as `GET`".to_owned());
    }
    if text.contains(['\r', '\n', '\0']) {
        return Err("expected a request line without line breaks".to_owned());
    }
    Ok((method, target))
}

/// The comment that an unquoted request runs into, if its `#` looks like a part of the request.
pub(super) fn cut_off(source: &Source, node: &Node) -> Option<Span> {
    if !matches!(
        node.kind,
        Kind::Scalar {
            style: Style::Plain,
            ..
        }
    ) {
        return None;
    }
    let rest = source.text().get(node.span.end..)?.lines().next()?;
    let comment = rest.trim_start();
    let glued = comment
        .strip_prefix('#')?
        .chars()
        .next()
        .is_some_and(|c| !c.is_whitespace() && c != '#');
    let start = node.span.end + rest.len() - comment.len();
    glued.then(|| Span {
        start,
        end: start + comment.trim_end().len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("GET /latest/meta-data/", Ok(("GET", "/latest/meta-data/")))]
    #[case("PUT //latest/api/token;x", Ok(("PUT", "//latest/api/token;x")))]
    fn a_request_is_a_method_and_whatever_follows(#[case] text: &str, #[case] parts: Result<(&str, &str), String>) {
        assert_eq!(parse(text), parts);
    }

    #[rstest::rstest]
    #[case("/latest/meta-data/", "GET /latest/meta-data/")]
    #[case("get /latest", "in capitals")]
    #[case("GET ", "a method and a target")]
    #[case("GET /a\r\nX: y", "without line breaks")]
    fn anything_else_is_no_request(#[case] text: &str, #[case] reason: &str) {
        assert!(parse(text).is_err_and(|error| error.contains(reason)));
    }
}
