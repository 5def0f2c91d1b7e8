use http::header::{AUTHORIZATION, DATE};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use percent_encoding::percent_decode_str;

use super::{AuthFailure, scope::Scope};
use crate::request::Received;

/// The only algorithm accepted.
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The longest life of a presigned URL: seven days.
const LONGEST: u32 = 604_800;

/// What a request shows to prove who it is.
#[derive(Debug)]
pub(crate) enum Presented {
    /// Nothing.
    Nothing,
    /// A signature by SigV4.
    Signed(Signed),
    /// Something that cannot be judged.
    Refused(AuthFailure),
}

/// A SigV4 signature with all that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) key_id: String,
    pub(crate) scope: Scope,
    /// Small letters, sorted, as they were named, with a semicolon between two.
    pub(crate) signed_headers: String,
    pub(crate) signature: String,
    /// `20261124T134901Z`
    pub(crate) stamp: String,
    pub(crate) at: Timestamp,
    pub(crate) token: Option<String>,
    /// Seconds for which a presigned URL is good; none for a signature in the header.
    pub(crate) presigned: Option<u32>,
}

// === impl Presented ===

impl Presented {
    /// Reads the `Authorization` header, or the query string of a presigned URL.
    pub(crate) fn of(request: &Received) -> Self {
        let query: Vec<(String, String)> = pairs(&request.query);
        let of = |name: &str| {
            query
                .iter()
                .find(|(n, _)| n.eq_ignore_ascii_case(name))
                .map(|(_, v)| v.as_str())
        };
        let result = if let Some(value) = request.headers.get(AUTHORIZATION) {
            match value.to_str() {
                Ok(value) => Signed::by_header(request, value),
                Err(_) => Err(AuthFailure::Malformed("the Authorization header is no text".to_owned())),
            }
        } else if let Some(algorithm) = of("X-Amz-Algorithm") {
            Signed::by_query(algorithm, of)
        } else if of("AWSAccessKeyId").is_some() && of("Signature").is_some() {
            Err(AuthFailure::Unsupported)
        } else {
            return Self::Nothing;
        };
        match result {
            Ok(signed) => Self::Signed(signed),
            Err(failure) => Self::Refused(failure),
        }
    }
}

// === impl Signed ===

impl Signed {
    fn by_header(request: &Received, value: &str) -> Result<Self, AuthFailure> {
        let (algorithm, rest) = value.split_once(' ').unwrap_or((value, ""));
        if algorithm != ALGORITHM {
            return Err(AuthFailure::Unsupported);
        }
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for part in rest.split(',') {
            match part.trim().split_once('=') {
                Some(("Credential", v)) => credential = Some(v),
                Some(("SignedHeaders", v)) => signed_headers = Some(v),
                Some(("Signature", v)) => signature = Some(v),
                _ => {}
            }
        }
        let missing = |name: &str| {
            AuthFailure::Malformed(format!(
                "Authorization header requires '{name}' parameter. Authorization={value}"
            ))
        };
        // `Date` is RFC 9110's form, and is what a client that does not send X-Amz-Date has signed.
        let stamp = match (request.header("x-amz-date"), request.header(DATE)) {
            (Some(stamp), _) => stamp.to_owned(),
            (None, Some(date)) => jiff::fmt::rfc2822::parse(date)
                .map(|at| at.timestamp().strftime("%Y%m%dT%H%M%SZ").to_string())
                .map_err(|_| AuthFailure::Malformed(format!("the Date header is no date: '{date}'")))?,
            (None, None) => {
                return Err(AuthFailure::Malformed(
                    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".to_owned(),
                ));
            }
        };
        Self::build(
            credential.ok_or_else(|| missing("Credential"))?,
            signed_headers.ok_or_else(|| missing("SignedHeaders"))?,
            signature.ok_or_else(|| missing("Signature"))?,
            stamp,
            request.header("x-amz-security-token").map(str::to_owned),
            None,
        )
    }

    fn by_query<'a>(algorithm: &str, of: impl Fn(&str) -> Option<&'a str>) -> Result<Self, AuthFailure> {
        if algorithm != ALGORITHM {
            return Err(AuthFailure::Unsupported);
        }
        let need = |name: &str| {
            of(name).ok_or_else(|| AuthFailure::Malformed(format!("a presigned URL requires the parameter {name}")))
        };
        // Only S3 requires X-Amz-Expires; the others take 15 minutes, the age any signature may have.
        let expires = match of("X-Amz-Expires") {
            None => 900,
            Some(text) => text.parse().ok().filter(|seconds| *seconds <= LONGEST).ok_or_else(|| {
                AuthFailure::Malformed("X-Amz-Expires must be a number of seconds, at most 604800".to_owned())
            })?,
        };
        Self::build(
            need("X-Amz-Credential")?,
            need("X-Amz-SignedHeaders")?,
            need("X-Amz-Signature")?,
            need("X-Amz-Date")?.to_owned(),
            of("X-Amz-Security-Token").map(str::to_owned),
            Some(expires),
        )
    }

    fn build(
        credential: &str,
        signed_headers: &str,
        signature: &str,
        stamp: String,
        token: Option<String>,
        presigned: Option<u32>,
    ) -> Result<Self, AuthFailure> {
        let (key_id, scope) = Scope::of_credential(credential)?;
        let date = scope.date();
        let at = instant(&stamp)
            .ok_or_else(|| AuthFailure::Malformed(format!("the date must be like 20261124T134901Z, not '{stamp}'")))?;
        if !stamp.starts_with(date) || date.len() != 8 {
            return Err(AuthFailure::Malformed(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date}' != \
                 '{stamp}'"
            )));
        }
        Ok(Self {
            key_id: key_id.to_owned(),
            scope,
            signed_headers: signed_headers.to_ascii_lowercase(),
            signature: signature.to_owned(),
            stamp,
            at,
            token,
            presigned,
        })
    }

    /// The names of the headers that were signed.
    pub(crate) fn header_names(&self) -> impl Iterator<Item = &str> {
        self.signed_headers.split(';')
    }
}

/// What a stamp like `20261124T134901Z` says. Read by its places, for each request has one.
fn instant(stamp: &str) -> Option<Timestamp> {
    let (date, time) = stamp.strip_suffix('Z')?.split_once('T')?;
    let digits = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(date, 8) || !digits(time, 6) {
        return None;
    }
    let part = |text: &str, at: usize| text[at..at + 2].parse::<i8>().ok();
    let at = DateTime::new(
        date[..4].parse().ok()?,
        part(date, 4)?,
        part(date, 6)?,
        part(time, 0)?,
        part(time, 2)?,
        part(time, 4)?,
        0,
    );
    Some(at.ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// The names and values of a query string, percent-decoded and nothing else (a `+` stays a `+`), in order.
pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(name), decode(value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, Method};
    use rstest::rstest;

    use super::*;
    use crate::Door;

    const GOOD: &str = "AWS4-HMAC-SHA256 Credential=AKIA/20261124/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, \
                        Signature=abc";

    fn presented(authorization: &str, date: &str, query: &str) -> Presented {
        let mut headers = HeaderMap::new();
        for (name, value) in [("authorization", authorization), ("x-amz-date", date)] {
            if !value.is_empty() {
                headers.insert(name, value.parse().expect("a header"));
            }
        }
        Presented::of(&Received {
            method: Method::GET,
            path: "/".to_owned(),
            query: query.to_owned(),
            headers,
            body: Bytes::new(),
            from: ([127, 0, 0, 1], 1).into(),
            door: Door::World,
            at: Timestamp::UNIX_EPOCH,
        })
    }

    #[test]
    fn a_signature_is_read_with_all_that_belongs_to_it() {
        let Presented::Signed(signed) = presented(GOOD, "20261124T134901Z", "") else {
            panic!("it is one")
        };
        assert_eq!((signed.key_id.as_str(), signed.signature.as_str()), ("AKIA", "abc"));
        assert_eq!(signed.scope.as_str(), "20261124/us-east-1/s3/aws4_request");
        assert!(signed.header_names().eq(["host", "x-amz-date"]));
        assert_eq!(signed.at.to_string(), "2026-11-24T13:49:01Z");
    }

    #[rstest]
    #[case::no_date(GOOD, "")]
    #[case::a_date_of_another_form(GOOD, "2026-11-24T13:49:01Z")]
    #[case::a_month_that_is_none(&GOOD.replace("20261124", "20261324"), "20261324T134901Z")]
    #[case::a_sign_for_a_digit(GOOD, "20261124T+34901Z")]
    #[case::a_day_that_is_not_the_scopes(GOOD, "20261125T134901Z")]
    #[case::no_scope(
        "AWS4-HMAC-SHA256 Credential=AKIA, SignedHeaders=host, Signature=abc",
        "20261124T134901Z"
    )]
    #[case::another_end(&GOOD.replace("aws4_request", "aws5_request"), "20261124T134901Z")]
    #[case::no_signature(
        "AWS4-HMAC-SHA256 Credential=AKIA/20261124/a/b/aws4_request, SignedHeaders=host",
        "20261124T134901Z"
    )]
    #[case::nothing("AWS4-HMAC-SHA256", "20261124T134901Z")]
    fn a_malformed_signature_is_told_from_a_wrong_one(#[case] authorization: &str, #[case] date: &str) {
        let presented = presented(authorization, date, "");
        assert!(
            matches!(presented, Presented::Refused(AuthFailure::Malformed(_))),
            "{presented:?}"
        );
    }

    #[rstest]
    #[case::version_two("AWS AKIA:abc", "")]
    #[case::bearer("Bearer abc", "")]
    #[case::version_two_presigned("", "AWSAccessKeyId=a&Signature=b&Expires=1")]
    #[case::asymmetric("", "X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256")]
    fn another_mechanism_is_refused_as_such(#[case] authorization: &str, #[case] query: &str) {
        let presented = presented(authorization, "", query);
        assert!(
            matches!(presented, Presented::Refused(AuthFailure::Unsupported)),
            "{presented:?}"
        );
    }

    #[rstest]
    #[case::longer_than_a_week("604801")]
    #[case::no_number("soon")]
    fn a_presigned_url_has_a_life_of_a_week_at_most(#[case] life: &str) {
        let query = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20261124%2Fus-east-1%2Fs3%2Faws4_request\
             &X-Amz-Date=20261124T134901Z&X-Amz-SignedHeaders=host&X-Amz-Signature=abc&X-Amz-Expires={life}"
        );
        let presented = presented("", "", &query);
        assert!(
            matches!(presented, Presented::Refused(AuthFailure::Malformed(_))),
            "{presented:?}"
        );
    }
}
