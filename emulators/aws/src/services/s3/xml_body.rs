use xmlparser::{ElementEnd, Token, Tokenizer};

use crate::answer::Refusal;

/// How deep elements may lie in each other. S3's own bodies need four.
const DEPTH: usize = 16;

/// An element of a request's body. Namespaces and attributes are not looked at.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    name: String,
    pub(super) text: String,
    children: Vec<Element>,
}

// === impl Element ===

impl Element {
    /// The root element of a body, which must have this name.
    ///
    /// # Errors
    /// `MalformedXML` for what is no such document.
    pub(super) fn parse(body: &[u8], root: &str) -> Result<Self, Refusal> {
        let malformed = || {
            Refusal::new(
                400,
                "MalformedXML",
                "The XML you provided was not well-formed or did not validate against our published schema",
            )
        };
        let text = std::str::from_utf8(body).map_err(|_| malformed())?;
        read(text).filter(|element| element.name == root).ok_or_else(malformed)
    }

    /// The text of the first child of this name.
    pub(super) fn get<'a>(&'a self, name: &str) -> Option<&'a str> {
        let child = self.children.iter().find(|child| child.name == name);
        child.map(|child| child.text.as_str())
    }

    /// The children of this name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> + 'a {
        self.children.iter().filter(move |child| child.name == name)
    }
}

fn read(text: &str) -> Option<Element> {
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    for token in Tokenizer::from(text) {
        match token.ok()? {
            Token::ElementStart { local, .. } => {
                if root.is_some() || open.len() >= DEPTH {
                    return None;
                }
                open.push(Element {
                    name: local.as_str().to_owned(),
                    ..Element::default()
                });
            }
            Token::Text { text } => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&unescaped(text.as_str())?);
                }
            }
            Token::Cdata { text, .. } => open.last_mut()?.text.push_str(text.as_str()),
            Token::ElementEnd { end, .. } => {
                match end {
                    ElementEnd::Open => continue,
                    ElementEnd::Close(_, local) if open.last()?.name != local.as_str() => return None,
                    ElementEnd::Close(..) | ElementEnd::Empty => {}
                }
                let done = open.pop()?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => root = Some(done),
                }
            }
            // Nobody who means well sends one.
            Token::DtdStart { .. } | Token::EmptyDtd { .. } | Token::EntityDeclaration { .. } => return None,
            _ => {}
        }
    }
    root.filter(|_| open.is_empty())
}

/// The five entities of XML, and characters by their numbers.
fn unescaped(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (entity, after) = after.split_once(';')?;
        out.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let number = entity.strip_prefix('#')?;
                let code = match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16),
                    None => number.parse(),
                };
                char::from_u32(code.ok()?)?
            }
        });
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[test]
    fn elements_are_read_with_what_is_in_them() {
        let body =
            b"<?xml version=\"1.0\"?>\n<Delete xmlns=\"u\"><Quiet>true</Quiet><Object><Key>a&amp;b&#10;</Key></Object>\
                     <Object><Key><![CDATA[<c>]]></Key></Object></Delete>";
        let delete = Element::parse(body, "Delete").expect("well formed");
        assert_eq!(delete.get("Quiet"), Some("true"));
        let keys: Vec<&str> = delete.all("Object").filter_map(|object| object.get("Key")).collect();
        assert_eq!(keys, ["a&b\n", "<c>"]);
    }

    #[rstest]
    #[case("")]
    #[case("<Delete>")]
    #[case("<Delete></Other>")]
    #[case("<Other/>")]
    #[case("<Delete/><Delete/>")]
    #[case("<Delete>&entity;</Delete>")]
    #[case("<!DOCTYPE d [<!ENTITY e \"x\">]><Delete>&e;</Delete>")]
    #[case(&"<Delete>".repeat(100_000))]
    fn another_form_is_refused(#[case] body: &str) {
        let refusal = Element::parse(body.as_bytes(), "Delete").expect_err("no such document");
        assert_eq!(refusal.code, "MalformedXML");
    }

    proptest! {
        #[test]
        fn no_body_makes_the_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..200), text in "[<>&;a/!\\[\\]#x0-9 ]*") {
            let _ = Element::parse(&body, "a");
            let _ = Element::parse(text.as_bytes(), "a");
        }
    }
}
