use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::S3Read;
use crate::{
    answer::{Answer, Refusal, Xml, iso8601_millis},
    state::{Bucket, Object},
};

/// What `encoding-type=url` leaves as it is.
const ENCODE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/')
    .remove(b'*');
/// Items of a page at most.
const MAX_KEYS: usize = 1000;

/// ListObjects and ListObjectsV2 differ in how one goes on to the next page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    One,
    Two,
}

/// Where a page starts.
#[derive(Debug, Default)]
struct Start {
    /// Only keys greater than this.
    after: String,
    /// No keys with this prefix: it was the last of the page before.
    skip: Option<String>,
}

/// One page of a bucket.
#[derive(Debug, Default)]
struct Page<'a> {
    objects: Vec<(&'a str, &'a Object)>,
    prefixes: Vec<String>,
    /// The last item, if there are more behind it: its name and whether it is a prefix.
    last: Option<(String, bool)>,
}

pub(super) fn list(call: &mut S3Read<'_>, version: Version) -> Result<Answer, Refusal> {
    let route = call.route;
    let param = |name: &str| route.param(name).unwrap_or_default();
    let (prefix, delimiter) = (param("prefix"), param("delimiter"));
    // Read before it is asked about, because a policy may compare it as a number.
    let max = match route.param("max-keys") {
        None => MAX_KEYS,
        Some(text) => text.parse::<usize>().map(|max| max.min(MAX_KEYS)).map_err(|_| {
            Refusal::new(
                400,
                "InvalidArgument",
                "Provided max-keys not an integer or within integer range",
            )
            .detail("ArgumentName", "max-keys")
            .detail("ArgumentValue", text)
        })?,
    };
    let mut ask = call.ask_bucket("s3:ListBucket");
    for (name, key) in [
        ("prefix", "s3:prefix"),
        ("delimiter", "s3:delimiter"),
        ("max-keys", "s3:max-keys"),
    ] {
        if let Some(value) = route.param(name) {
            ask = ask.context(key, value);
        }
    }
    call.check(ask)?;
    let start = match version {
        Version::One => Start::at_marker(param("marker"), delimiter),
        Version::Two => Start::at_token(route.param("continuation-token"), param("start-after"))?,
    };
    let with_owner = version == Version::One || route.param("fetch-owner") == Some("true");
    let owner = call.owner_id();
    let name = call.bucket_name().to_owned();
    let page = Page::of(call.bucket()?, prefix, delimiter, &start, max);

    let url = route.param("encoding-type") == Some("url");
    let show = |text: &str| {
        if url {
            utf8_percent_encode(text, ENCODE).to_string()
        } else {
            text.to_owned()
        }
    };
    let mut xml = Xml::document();
    xml.element(
        "ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"",
        |xml| {
            xml.text("Name", &name)
                .text("Prefix", &show(prefix))
                .text("MaxKeys", &max.to_string())
                .optional("Delimiter", route.param("delimiter").map(show).as_deref())
                .optional("EncodingType", url.then_some("url"))
                .text("IsTruncated", if page.last.is_some() { "true" } else { "false" });
            match version {
                Version::One => {
                    xml.text("Marker", &show(param("marker")));
                    if let Some((last, _)) = &page.last {
                        xml.text("NextMarker", &show(last));
                    }
                }
                Version::Two => {
                    xml.text("KeyCount", &(page.objects.len() + page.prefixes.len()).to_string())
                        .optional("StartAfter", route.param("start-after").map(show).as_deref())
                        .optional("ContinuationToken", route.param("continuation-token"))
                        .optional("NextContinuationToken", page.last.as_ref().map(token).as_deref());
                }
            }
            for (key, object) in &page.objects {
                xml.element("Contents", |xml| {
                    xml.text("Key", &show(key))
                        .text("LastModified", &iso8601_millis(object.modified))
                        .text("ETag", &object.etag)
                        .text("Size", &object.body.len().to_string())
                        .text("StorageClass", "STANDARD");
                    if with_owner {
                        xml.element("Owner", |xml| {
                            xml.text("ID", &owner);
                        });
                    }
                });
            }
            for prefix in &page.prefixes {
                xml.element("CommonPrefixes", |xml| {
                    xml.text("Prefix", &show(prefix));
                });
            }
        },
    );
    Ok(Answer::ok("application/xml", xml.finish()))
}

/// A continuation token is opaque to the caller: what the page ended with.
fn token((last, is_prefix): &(String, bool)) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}{last}", if *is_prefix { 'p' } else { 'k' }))
}

// === impl Start ===

impl Start {
    fn at_marker(marker: &str, delimiter: &str) -> Self {
        let is_prefix = !delimiter.is_empty() && marker.ends_with(delimiter);
        Self {
            after: marker.to_owned(),
            skip: is_prefix.then(|| marker.to_owned()),
        }
    }

    fn at_token(token: Option<&str>, start_after: &str) -> Result<Self, Refusal> {
        let Some(token) = token else {
            return Ok(Self {
                after: start_after.to_owned(),
                skip: None,
            });
        };
        let text = URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        match text.as_deref().and_then(|text| text.split_at_checked(1)) {
            Some(("p", last)) => Ok(Self {
                after: last.to_owned(),
                skip: Some(last.to_owned()),
            }),
            Some(("k", last)) => Ok(Self {
                after: last.to_owned(),
                skip: None,
            }),
            _ => Err(
                Refusal::new(400, "InvalidArgument", "The continuation token provided is incorrect")
                    .detail("ArgumentName", "continuation-token"),
            ),
        }
    }
}

// === impl Page ===

impl<'a> Page<'a> {
    fn of(bucket: &'a Bucket, prefix: &str, delimiter: &str, start: &Start, max: usize) -> Self {
        let mut page = Self::default();
        let mut last: Option<(String, bool)> = None;
        let from = if start.after.as_str() > prefix {
            start.after.as_str()
        } else {
            prefix
        };
        for (key, object) in bucket.objects.range(from.to_owned()..) {
            let Some(rest) = key.strip_prefix(prefix) else { break };
            let skipped = start.skip.as_ref().is_some_and(|skip| key.starts_with(skip.as_str()));
            if skipped || !start.after.is_empty() && *key <= start.after {
                continue;
            }
            let common = (!delimiter.is_empty())
                .then(|| rest.find(delimiter))
                .flatten()
                .map(|at| &key[..prefix.len() + at + delimiter.len()]);
            if let Some(common) = common
                && page.prefixes.last().is_some_and(|last| last == common)
            {
                continue;
            }
            if page.objects.len() + page.prefixes.len() == max {
                page.last = last;
                break;
            }
            match common {
                Some(common) => {
                    page.prefixes.push(common.to_owned());
                    last = Some((common.to_owned(), true));
                }
                None => {
                    page.objects.push((key, object));
                    last = Some((key.clone(), false));
                }
            }
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::state::AccountRef;

    #[test]
    fn pages_go_on_behind_the_last_item_and_show_each_prefix_once() {
        let object = Object {
            body: "x".into(),
            etag: String::new(),
            modified: Timestamp::UNIX_EPOCH,
            headers: Vec::new(),
            checksum: None,
            tags: Vec::new(),
            parts: Vec::new(),
        };
        let keys = ["a", "b/1", "b/2", "c", "d/1"];
        let bucket = Bucket {
            owner: AccountRef::MAIN,
            created: Timestamp::UNIX_EPOCH,
            region: String::new(),
            objects: keys.iter().map(|key| ((*key).to_owned(), object.clone())).collect(),
            uploads: std::collections::BTreeMap::new(),
            tags: Vec::new(),
            policy: None,
            policy_since: Timestamp::UNIX_EPOCH,
        };
        let mut start = Start::default();
        let mut seen = Vec::new();
        for _ in 0..10 {
            let page = Page::of(&bucket, "", "/", &start, 1);
            seen.extend(page.objects.iter().map(|(key, _)| (*key).to_owned()));
            seen.extend(page.prefixes.clone());
            let Some(last) = page.last else { break };
            start = Start::at_token(Some(&token(&last)), "").expect("our own token");
        }
        assert_eq!(seen, ["a", "b/", "c", "d/"]);
    }
}
