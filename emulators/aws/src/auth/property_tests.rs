//! SigV4 against another implementation of it: what the SDK's signer signed is accepted, and refused with any one byte
//! changed.

use bytes::Bytes;
use http::{HeaderMap, Request};
use jiff::Timestamp;
use proptest::{prelude::*, sample::Index};
use rolecall_clock::Clock;

use super::{AuthFailure, Presented, Verifier};
use crate::{AccessKey, Door, Enforcement, Settings, request::Received, service::Service, state::State};
use signer::{How, Keys, signed};

#[path = "../../tests/enforcement/signer.rs"]
mod signer;

const HOST: &str = "127.0.0.1:4566";

/// What the generated request is.
#[derive(Clone, Debug)]
struct Sample {
    service: &'static str,
    method: &'static str,
    path: String,
    query: String,
    body: Vec<u8>,
}

/// Where the one byte is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Path,
    Query,
    Header,
    Body,
    Token,
    Method,
}

/// What a browser or SDK sends of a text in a path or query: encoded, letters and digits not.
fn encoded() -> impl Strategy<Value = String> {
    proptest::collection::vec(any::<char>(), 1..6).prop_map(|chars| {
        let text: String = chars.into_iter().collect();
        format!(
            "a{}",
            percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC)
        )
    })
}

fn sample() -> impl Strategy<Value = Sample> {
    let service = prop_oneof![Just("s3"), Just("es"), Just("iam")];
    let path = proptest::collection::vec(encoded(), 1..4).prop_map(|segments| format!("/{}", segments.join("/")));
    let query = proptest::collection::vec((encoded(), encoded()), 1..4).prop_map(|pairs| {
        pairs
            .iter()
            .map(|(n, v)| format!("{n}={v}"))
            .collect::<Vec<_>>()
            .join("&")
    });
    let method = prop_oneof![Just("GET"), Just("PUT"), Just("POST")];
    let body = proptest::collection::vec(any::<u8>(), 1..64);
    (service, method, path, query, body).prop_map(|(service, method, path, query, body)| Sample {
        service,
        method,
        path,
        query,
        body,
    })
}

fn keys() -> Keys {
    Keys {
        id: "AKIAROOT".to_owned(),
        secret: "a secret/+".to_owned(),
        token: None,
    }
}

fn state() -> State {
    let settings = Settings {
        account: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        root: AccessKey {
            id: keys().id,
            secret: keys().secret.into(),
        },
        clock: Clock::new(),
        enforcement: Enforcement::On,
        upstream: None,
    };
    State::new(&settings, &[], Timestamp::UNIX_EPOCH)
}

fn received(request: Request<Bytes>) -> Received {
    let (mut head, body) = request.into_parts();
    head.headers.insert("host", HOST.parse().expect("a host"));
    Received {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
        from: ([127, 0, 0, 1], 1).into(),
        door: Door::World,
        at: Timestamp::UNIX_EPOCH,
    }
}

fn sign(sample: &Sample) -> Received {
    sign_for(sample, None)
}

/// Signs by header, or by query for so long.
fn sign_for(sample: &Sample, presigned: Option<std::time::Duration>) -> Received {
    let body = Bytes::from(sample.body.clone());
    let request = Request::builder()
        .method(sample.method)
        .uri(format!("http://{HOST}{}?{}", sample.path, sample.query))
        .header("x-amz-meta-note", "a note")
        .body(body.clone())
        .expect("a request");
    let at = rolecall_clock::real_wall().into();
    // Who presigns an URL of S3 does not know the body yet.
    let body = match (presigned, sample.service) {
        (Some(_), "s3") => aws_sigv4::http_request::SignableBody::UnsignedPayload,
        _ => aws_sigv4::http_request::SignableBody::Bytes(&body),
    };
    received(signed(
        request,
        &keys(),
        How {
            service: sample.service,
            at,
            body,
            presigned,
        },
    ))
}

fn verify(request: &Received, state: &State) -> Result<(), AuthFailure> {
    let Presented::Signed(signed) = Presented::of(request) else {
        return Err(AuthFailure::Missing);
    };
    let service = Service::of_scope(signed.scope.service(), &HeaderMap::new());
    Verifier {
        state,
        clock: &Clock::new(),
    }
    .verify(request, &service, &signed, None)
    .result
    .map(drop)
}

/// Changes one letter or digit to another one, so that the change is one of meaning in an encoded text too.
fn change(text: &str, at: Index) -> String {
    // What follows a percent sign is not a letter but a part of one, in either case.
    let bytes = text.as_bytes();
    let plain = |i: usize| bytes[i].is_ascii_alphanumeric() && !bytes[i.saturating_sub(2)..i].contains(&b'%');
    let places: Vec<usize> = (0..bytes.len()).filter(|i| plain(*i)).collect();
    let place = places[at.index(places.len())];
    let mut changed = bytes.to_vec();
    changed[place] = if changed[place] == b'q' { b'r' } else { b'q' };
    String::from_utf8(changed).expect("ASCII")
}

proptest! {
    #[test]
    fn what_the_sdk_signs_is_accepted(sample in sample()) {
        prop_assert_eq!(verify(&sign(&sample), &state()), Ok(()));
    }

    #[test]
    fn one_byte_changed_is_refused(
        sample in sample(),
        place in prop_oneof![
            Just(Place::Path), Just(Place::Query), Just(Place::Header), Just(Place::Body), Just(Place::Token),
            Just(Place::Method),
        ],
        at in any::<Index>(),
    ) {
        let mut request = sign(&sample);
        match place {
            Place::Path => request.path = change(&request.path, at),
            Place::Query => request.query = change(&request.query, at),
            Place::Header => {
                request.headers.insert("x-amz-meta-note", change("a note", at).parse().expect("a header"));
            }
            Place::Body => {
                let mut body = request.body.to_vec();
                let i = at.index(body.len());
                body[i] ^= 1;
                request.body = body.into();
            }
            Place::Token => {
                request.headers.insert("x-amz-security-token", "another".parse().expect("a header"));
            }
            Place::Method => request.method = http::Method::DELETE,
        }
        let failure = verify(&request, &state()).expect_err("it was changed");
        let expected = match (place, sample.service) {
            (Place::Token, _) => matches!(failure, AuthFailure::TokenMismatch { .. }),
            // S3 signs the hash that the client names; the body is compared with it afterwards.
            (Place::Body, "s3") => matches!(failure, AuthFailure::Payload { .. }),
            _ => matches!(failure, AuthFailure::Signature { .. }),
        };
        prop_assert!(expected, "{:?}: {:?}", place, failure);
    }

    #[test]
    fn what_the_sdk_presigns_is_accepted(sample in sample()) {
        let request = sign_for(&sample, Some(std::time::Duration::from_secs(300)));
        prop_assert_eq!(verify(&request, &state()), Ok(()));
    }

    #[test]
    fn one_byte_of_a_presigned_url_changed_is_refused(
        sample in sample(),
        place in prop_oneof![
            Just(Place::Path), Just(Place::Query), Just(Place::Header), Just(Place::Body), Just(Place::Token),
            Just(Place::Method),
        ],
        at in any::<Index>(),
    ) {
        let mut request = sign_for(&sample, Some(std::time::Duration::from_secs(300)));
        match place {
            Place::Path => request.path = change(&request.path, at),
            // Also of what says how it is signed, and of the signature.
            Place::Query => request.query = change(&request.query, at),
            Place::Header => {
                request.headers.insert("x-amz-meta-note", change("a note", at).parse().expect("a header"));
            }
            Place::Body if sample.service == "s3" => return Ok(()),
            Place::Body => {
                let mut body = request.body.to_vec();
                let i = at.index(body.len());
                body[i] ^= 1;
                request.body = body.into();
            }
            Place::Token => request.query.push_str("&X-Amz-Security-Token=another"),
            Place::Method => request.method = http::Method::DELETE,
        }
        prop_assert!(verify(&request, &state()).is_err());
    }

    #[test]
    fn no_header_or_query_makes_the_reader_panic(authorization in ".*", query in ".*", date in ".*") {
        let mut request = received(Request::new(Bytes::new()));
        request.query = query;
        for (name, value) in [("authorization", authorization), ("x-amz-date", date)] {
            if let Ok(value) = value.parse() {
                request.headers.insert(name, value);
            }
        }
        let _ = verify(&request, &state());
    }
}
