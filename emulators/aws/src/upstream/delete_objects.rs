use super::Element;
use crate::answer::{Refusal, Xml};

/// Keys that one DeleteObjects may name.
const KEYS: usize = 1000;

/// The objects that a DeleteObjects is to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeleteObjects {
    /// Key and version.
    pub(crate) objects: Vec<(String, Option<String>)>,
    pub(crate) quiet: bool,
}

// === impl DeleteObjects ===

impl DeleteObjects {
    /// # Errors
    /// `MalformedXML`.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let malformed = || {
            Refusal::new(
                400,
                "MalformedXML",
                "The XML you provided was not well-formed or did not validate against our published schema",
            )
        };
        let text = std::str::from_utf8(body).map_err(|_| malformed())?;
        let root = Element::parse(text)
            .filter(|root| root.name == "Delete")
            .ok_or_else(malformed)?;
        let mut objects = Vec::new();
        for object in root.children.iter().filter(|child| child.name == "Object") {
            // Anything that is not understood (a condition) would be lost.
            let known = ["Key", "VersionId"];
            if object
                .children
                .iter()
                .any(|child| !known.contains(&child.name.as_str()))
            {
                return Err(Refusal::new(
                    501,
                    "NotImplemented",
                    "Rolecall passes on DeleteObjects with keys and versions alone.",
                ));
            }
            let key = object.get("Key").ok_or_else(malformed)?;
            objects.push((key.to_owned(), object.get("VersionId").map(str::to_owned)));
        }
        if objects.is_empty() || objects.len() > KEYS {
            return Err(malformed());
        }
        Ok(Self {
            objects,
            quiet: root.get("Quiet") == Some("true"),
        })
    }

    /// The document that asks for these.
    pub(crate) fn write(&self) -> String {
        let mut xml = Xml::document();
        xml.element("Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"", |xml| {
            for (key, version) in &self.objects {
                xml.element("Object", |xml| {
                    xml.text("Key", key).optional("VersionId", version.as_deref());
                });
            }
            if self.quiet {
                xml.text("Quiet", "true");
            }
        });
        xml.finish()
    }
}

/// The answer with an error for each object that was not to be deleted; `answer` is none if all were such.
pub(crate) fn with_denied(answer: Option<&str>, denied: &[(String, Option<String>)]) -> String {
    let mut errors = Xml::new();
    for (key, version) in denied {
        errors.element("Error", |xml| {
            xml.text("Key", key)
                .optional("VersionId", version.as_deref())
                .text("Code", "AccessDenied")
                .text("Message", "Access Denied");
        });
    }
    let errors = errors.finish();
    let end = "</DeleteResult>";
    match answer.and_then(|answer| Some((answer, answer.rfind(end)?))) {
        Some((answer, at)) => format!("{}{errors}{}", &answer[..at], &answer[at..]),
        None => format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DeleteResult \
             xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{errors}{end}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_objects_are_read_and_written() {
        let asked = DeleteObjects::parse(
            b"<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key><VersionId>1</VersionId></Object></Delete>",
        )
        .expect("well formed");
        assert_eq!(
            asked.objects,
            [("a&b".to_owned(), None), ("c".to_owned(), Some("1".to_owned()))]
        );
        assert_eq!(DeleteObjects::parse(asked.write().as_bytes()), Ok(asked));
    }

    #[test]
    fn what_names_no_object_is_malformed() {
        for body in [
            "",
            "<Delete/>",
            "<Delete><Object/></Delete>",
            "<Other><Object><Key>a</Key></Object></Other>",
        ] {
            let refused = DeleteObjects::parse(body.as_bytes()).expect_err("no object");
            assert_eq!(refused.code, "MalformedXML");
        }
    }

    #[test]
    fn what_was_denied_is_told_beside_what_was_deleted() {
        let denied = [("x".to_owned(), None)];
        let told =
            "<Error><Key>x</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error></DeleteResult>";
        assert!(with_denied(Some("<DeleteResult><Deleted/></DeleteResult>"), &denied).ends_with(told));
        assert!(with_denied(None, &denied).ends_with(told));
    }
}
