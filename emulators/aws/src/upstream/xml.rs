use xmlparser::{ElementEnd, Token, Tokenizer};

/// How deep elements may lie in one another.
const DEPTH: usize = 64;

/// An element of an answer's XML: its name without prefix, its text, its elements in order. Attributes are left out, AWS
/// uses none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

// === impl Element ===

impl Element {
    /// The document's root; none for what is no XML.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut open: Vec<Self> = Vec::new();
        for token in Tokenizer::from(text) {
            match token.ok()? {
                Token::ElementStart { local, .. } if open.len() < DEPTH => open.push(Self {
                    name: local.as_str().to_owned(),
                    ..Self::default()
                }),
                Token::ElementStart { .. } => return None,
                Token::ElementEnd {
                    end: ElementEnd::Close(..) | ElementEnd::Empty,
                    ..
                } => {
                    let done = open.pop()?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(done),
                        None => return Some(done),
                    }
                }
                Token::Text { text } => open.last_mut()?.text.push_str(&unescape(text.as_str())),
                Token::Cdata { text, .. } => open.last_mut()?.text.push_str(text.as_str()),
                _ => {}
            }
        }
        None
    }

    /// The first element of this name in it.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first element of this name in it.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    /// The elements of the list of this name: its `member`s.
    pub(crate) fn members(&self, list: &str) -> impl Iterator<Item = &Self> {
        let list = self.child(list).into_iter();
        list.flat_map(|list| list.children.iter().filter(|child| child.name == "member"))
    }

    /// All elements of this name, at whatever depth, in order.
    pub(crate) fn all(&self, name: &str) -> Vec<&Self> {
        let mut found = Vec::new();
        for child in &self.children {
            if child.name == name {
                found.push(child);
            }
            found.extend(child.all(name));
        }
        found
    }

    /// The first element of this name, at whatever depth.
    pub(crate) fn find(&self, name: &str) -> Option<&Self> {
        self.all(name).into_iter().next()
    }
}

/// Resolves what XML itself defines, and character references.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(end) = rest.find(';') else { break };
        match &rest[1..end] {
            "amp" => out.push('&'),
            "lt" => out.push('<'),
            "gt" => out.push('>'),
            "quot" => out.push('"'),
            "apos" => out.push('\''),
            reference => {
                let number = reference
                    .strip_prefix('#')
                    .and_then(|number| match number.strip_prefix('x') {
                        Some(hex) => u32::from_str_radix(hex, 16).ok(),
                        None => number.parse().ok(),
                    });
                match number.and_then(char::from_u32) {
                    Some(c) => out.push(c),
                    None => out.push_str(&rest[..=end]),
                }
            }
        }
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_by_its_names() {
        let root = Element::parse(
            "<?xml version='1.0'?>\n<a:R xmlns:a=\"u\"><L><member><K>x&lt;&#34;&#x41;&amp;</K></member><member/></L><E/></a:R>",
        )
        .expect("XML");
        assert_eq!(root.name, "R");
        let texts: Vec<_> = root.members("L").map(|member| member.get("K")).collect();
        assert_eq!(texts, [Some("x<\"A&"), None]);
        assert_eq!(root.find("K").map(|k| k.text.as_str()), Some("x<\"A&"));
        assert_eq!(root.get("E"), Some(""));
    }

    #[test]
    fn what_is_no_xml_is_none() {
        let deep = "<a>".repeat(100_000);
        for text in ["", "{}", "<a>", "<a></a", "&", deep.as_str()] {
            assert_eq!(Element::parse(text), None);
        }
    }
}
