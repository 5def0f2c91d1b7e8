//! The little that is read of EC2's XML.

use xmlparser::{ElementEnd, Token, Tokenizer};

/// The text of every element of this local name, in document order; what follows a syntax error is not read.
pub(super) fn texts(document: &str, element: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut inside: Option<String> = None;
    for token in Tokenizer::from(document).map_while(Result::ok) {
        match token {
            Token::ElementStart { local, .. } => inside = (local.as_str() == element).then(String::new),
            Token::Text { text } => {
                if let Some(inside) = &mut inside {
                    inside.push_str(text.as_str());
                }
            }
            Token::ElementEnd { end, .. } => match end {
                ElementEnd::Open => {}
                ElementEnd::Close(..) | ElementEnd::Empty => texts.extend(inside.take().map(|text| unescaped(&text))),
            },
            _ => {}
        }
    }
    texts
}

/// XML's five entities. `&amp;` last, so that nothing is unescaped twice.
fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&apos;", "'").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_of_the_name_is_read_and_no_other() {
        let document = "<R><item><regionName>eu-west-1</regionName><x/></item>\n<item>\
                        <regionName>a &amp;lt; b</regionName></item><regionNames>no</regionNames></R>";
        assert_eq!(texts(document, "regionName"), ["eu-west-1", "a &lt; b"]);
    }
}
