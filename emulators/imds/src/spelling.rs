use std::borrow::Cow;

use percent_encoding::percent_decode;

/// Layers of percent-encoding that are taken off. Two are known from servers behind servers; the rest is a bound.
const LAYERS: usize = 6;

/// A path after everything was folded that some server folds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Folded {
    /// Its segments, in lower case, none of them empty or dots.
    pub(crate) segments: Vec<String>,
    /// Whether it ended in a slash, or in something that folds away.
    pub(crate) slash: bool,
}

/// Folds the path of a request target, as every server does that is lax in its own way:
///
/// * percent-encoding is taken off, also where it is doubled, and the two-byte forms of ASCII that UTF-8 forbids;
/// * `\` is `/`; doubled slashes are one;
/// * what follows a `;` in a segment, an encoded `?`, `#` or NUL in the path is cut off;
/// * white space and control characters around a segment and dots at its end are dropped;
/// * `.` and `..` are walked, never above the root;
/// * upper case is lower case.
pub(crate) fn fold(path: &str) -> Folded {
    let decoded = decode(path.as_bytes());
    let path = String::from_utf8_lossy(&decoded);
    let path = path.split(['?', '#', '\0']).next().unwrap_or_default();
    let (mut segments, mut slash) = (Vec::new(), false);
    for segment in path.split(['/', '\\']) {
        let segment = segment.split(';').next().unwrap_or_default();
        let segment = segment.trim_matches(|c: char| c.is_whitespace() || c.is_control());
        slash = true;
        match segment {
            ".." => {
                segments.pop();
            }
            _ => match segment.trim_end_matches('.') {
                "" => {}
                name => {
                    segments.push(name.to_lowercase());
                    slash = false;
                }
            },
        }
    }
    Folded { segments, slash }
}

fn decode(path: &[u8]) -> Vec<u8> {
    let mut path = path.to_vec();
    for _ in 0..LAYERS {
        match Cow::from(percent_decode(&path)) {
            Cow::Borrowed(_) => break,
            Cow::Owned(decoded) => path = shortest(&decoded),
        }
    }
    path
}

/// Reads the overlong forms C0 80 to C1 BF, which stand for ASCII, as what they stand for.
fn shortest(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        match (first, after.split_first()) {
            (0xC0 | 0xC1, Some((&second @ 0x80..=0xBF, after))) => {
                out.push((first & 1) << 6 | (second & 0x3F));
                rest = after;
            }
            _ => {
                out.push(first);
                rest = after;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/latest/meta-data/", "latest/meta-data", true)]
    #[case("/latest/meta-data", "latest/meta-data", false)]
    #[case("/", "", true)]
    #[case("/LATEST/Meta-Data", "latest/meta-data", false)]
    #[case("//latest///meta-data//", "latest/meta-data", true)]
    #[case("/latest/./meta-data/.", "latest/meta-data", true)]
    #[case("/latest/x/../meta-data", "latest/meta-data", false)]
    #[case("/../../latest", "latest", false)]
    #[case("/latest/x/..", "latest", true)]
    #[case("/latest%2Fmeta%2ddata%2f", "latest/meta-data", true)]
    #[case("/latest%252Fmeta-data", "latest/meta-data", false)]
    #[case("/latest%25252Fmeta-data", "latest/meta-data", false)]
    #[case("/latest/x/%2e%2e/meta-data", "latest/meta-data", false)]
    #[case("/latest/x/..;/meta-data", "latest/meta-data", false)]
    #[case("/latest;v=1/meta-data;x", "latest/meta-data", false)]
    #[case("/latest/;/meta-data/;", "latest/meta-data", true)]
    #[case("/latest/%3bmeta-data/", "latest", true)]
    #[case("/latest\\meta-data", "latest/meta-data", false)]
    #[case("/latest%5Cmeta-data", "latest/meta-data", false)]
    #[case("/latest/meta-data%3Fx", "latest/meta-data", false)]
    #[case("/latest/meta-data%23x", "latest/meta-data", false)]
    #[case("/latest/meta-data%00.css", "latest/meta-data", false)]
    #[case("/latest/meta-data%20", "latest/meta-data", false)]
    #[case("/%0alatest/meta-data%0d", "latest/meta-data", false)]
    #[case("/latest/meta-data.", "latest/meta-data", false)]
    #[case("/latest%c0%afmeta-data", "latest/meta-data", false)]
    #[case("/latest/x/%c0%ae%c0%ae/meta-data", "latest/meta-data", false)]
    #[case("/latest/%zz", "latest/%zz", false)]
    #[case("/latest/%ff", "latest/\u{fffd}", false)]
    fn a_path_is_folded_as_the_laxest_server_does(#[case] path: &str, #[case] segments: &str, #[case] slash: bool) {
        let folded = fold(path);
        assert_eq!((folded.segments.join("/").as_str(), folded.slash), (segments, slash));
    }
}
