use jiff::Timestamp;

/// Writes XML: elements in the order they are written, texts escaped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Xml(String);

// === impl Xml ===

impl Xml {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// An XML document as S3 and EC2 send it, with its declaration.
    pub(crate) fn document() -> Self {
        Self("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned())
    }

    /// An element with content.
    pub(crate) fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) -> &mut Self {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
        content(self);
        // A name may carry attributes; the end tag has none.
        self.0.push_str("</");
        self.0.push_str(name.split(' ').next().unwrap_or(name));
        self.0.push('>');
        self
    }

    /// An element with a text.
    pub(crate) fn text(&mut self, name: &str, text: &str) -> &mut Self {
        self.element(name, |xml| escape(&mut xml.0, text))
    }

    /// A text without an element of its own.
    pub(crate) fn chars(&mut self, text: &str) {
        escape(&mut self.0, text);
    }

    /// An element with a text, or nothing.
    pub(crate) fn optional(&mut self, name: &str, text: Option<&str>) -> &mut Self {
        if let Some(text) = text {
            self.text(name, text);
        }
        self
    }

    /// Finished XML, as it is.
    pub(crate) fn raw(&mut self, xml: &Self) -> &mut Self {
        self.0.push_str(&xml.0);
        self
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            // Not a character of XML 1.0, not even escaped.
            c if c.is_control() && c != '\n' && c != '\t' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}

/// `2026-11-24T13:49:01Z`, as IAM and STS write times.
pub(crate) fn iso8601(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2026-11-24T13:49:01.000Z`, as S3 writes times in XML.
pub(crate) fn iso8601_millis(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_and_attributes_do_not_reach_the_end_tag() {
        let mut xml = Xml::new();
        xml.element("A xmlns=\"u\"", |a| {
            a.text("B", "x<&>\"y\u{1}").optional("C", None);
        });
        assert_eq!(xml.finish(), "<A xmlns=\"u\"><B>x&lt;&amp;&gt;&quot;y\u{fffd}</B></A>");
    }
}
