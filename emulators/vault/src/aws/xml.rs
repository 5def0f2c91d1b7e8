//! What the query services answer, as far as texts are looked for in it.

use xmlparser::{ElementEnd, Token, Tokenizer};

/// The texts of a document, each with the path of its element.
#[derive(Debug, Default)]
pub(super) struct Document(Vec<(String, String)>);

// === impl Document ===

impl Document {
    /// Reads a document; none if it is not XML.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut texts: Vec<(String, String)> = Vec::new();
        let mut path: Vec<String> = Vec::new();
        for token in Tokenizer::from(text) {
            match token.ok()? {
                Token::ElementStart { local, .. } => {
                    if path.len() > 64 {
                        return None;
                    }
                    path.push(local.as_str().to_owned());
                }
                Token::ElementEnd {
                    end: ElementEnd::Close(..) | ElementEnd::Empty,
                    ..
                } => {
                    path.pop()?;
                }
                Token::Text { text } => texts.push((path.join("/"), unescaped(text.as_str()))),
                Token::Cdata { text, .. } => texts.push((path.join("/"), text.as_str().to_owned())),
                _ => {}
            }
        }
        (!texts.is_empty()).then_some(Self(texts))
    }

    /// All texts of elements whose path ends so.
    pub(super) fn all<'a>(&'a self, end: &'a str) -> impl Iterator<Item = &'a str> {
        let ends = move |path: &str| {
            path.strip_suffix(end)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
        };
        self.0
            .iter()
            .filter(move |(path, _)| ends(path))
            .map(|(_, text)| text.as_str())
    }

    /// The first of them.
    pub(super) fn text(&self, end: &str) -> Option<String> {
        self.all(end).next().map(str::to_owned)
    }
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(end) = rest.find(';') else { break };
        let name = &rest[1..end];
        let number = match name.strip_prefix('#') {
            Some(hex) if hex.starts_with('x') => u32::from_str_radix(&hex[1..], 16).ok(),
            Some(decimal) => decimal.parse().ok(),
            None => None,
        };
        let c = match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => number.and_then(char::from_u32),
        };
        match c {
            Some(c) => plain.push(c),
            None => plain.push_str(&rest[..=end]),
        }
        rest = &rest[end + 1..];
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_by_the_end_of_their_path() {
        let document = Document::parse(
            "<R xmlns=\"x\"><L><member><PolicyArn>a &amp; &#98;</PolicyArn></member><member><PolicyArn>c</PolicyArn>\
             </member><E/></L><RequestId>id</RequestId></R>",
        )
        .expect("a document");
        assert_eq!(document.all("member/PolicyArn").collect::<Vec<_>>(), ["a & b", "c"]);
        assert_eq!(document.text("RequestId").as_deref(), Some("id"));
        assert_eq!(document.text("Arn"), None);
        assert!(Document::parse("<html").is_none());
        assert!(Document::parse("down").is_none());
    }
}
