use aws_sigv4::http_request::SignableBody;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use rolecall_aws::Enforcement;
use rstest::rstest;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    localstack::Local,
    recorder::{Parts, Recorder, until},
    signer::{How, Keys, signed},
    world::Ask,
};

async fn both() -> (Recorder, Local) {
    let recorder = Recorder::start().await;
    let local = Local::over(&recorder.url(), Enforcement::On).await;
    recorder.belongs_to(&local.account);
    (recorder, local)
}

/// A signed request whose body is still to come.
async fn send(local: &Local, method: Method, path: &str, payload: SignableBody<'_>, body: Parts) -> Response<Incoming> {
    let request = Request::builder().method(method).uri(local.world.url(path));
    let request = request.body(Bytes::new()).expect("a request");
    let how = How {
        service: "s3",
        at: local.now(),
        body: payload,
        presigned: None,
    };
    let (head, _) = signed(request, &local.world.root, how).into_parts();
    let client = Client::builder(TokioExecutor::new()).build_http::<Parts>();
    let request = Request::from_parts(head, body);
    client.request(request).await.expect("an answer")
}

#[tokio::test]
async fn an_object_goes_up_while_it_comes_in() {
    let (recorder, local) = both().await;
    let (sender, body) = Parts::new();
    let sent = async {
        let part = Bytes::from(vec![b'a'; 100_000]);
        // The last part that came is held back; all before it has passed.
        for parts in 1..=20 {
            sender.send(part.clone()).await.expect("it is taken");
            let passed = || {
                recorder
                    .last(&Method::PUT, "/bkt/big")
                    .is_some_and(|put| put.body.len() >= (parts - 1) * 90_000)
            };
            until("a part has passed", passed).await;
        }
        assert!(!recorder.last(&Method::PUT, "/bkt/big").expect("it is there").whole);
        drop(sender);
    };
    let answered = send(&local, Method::PUT, "/bkt/big", SignableBody::UnsignedPayload, body);
    let (answer, ()) = tokio::join!(answered, sent);
    assert_eq!(answer.status(), 200);
    let put = recorder.last(&Method::PUT, "/bkt/big").expect("it is there");
    assert_eq!((put.whole, put.body.len()), (true, 2_000_000));
}

#[tokio::test]
async fn an_object_comes_down_while_it_is_read() {
    let (recorder, local) = both().await;
    let sender = recorder.answer_in_parts();
    let answered = send(
        &local,
        Method::GET,
        "/bkt/parts",
        SignableBody::Bytes(b""),
        Parts::of(""),
    );
    sender.send(Bytes::from_static(b"first")).await.expect("it is taken");
    let mut answer = answered.await;
    let part = answer.body_mut().frame().await.expect("a part").expect("a good one");
    assert_eq!(part.into_data().expect("data"), "first", "before there is more");
    sender.send(Bytes::from_static(b"last")).await.expect("it is taken");
    drop(sender);
    assert_eq!(answer.into_body().collect().await.expect("a body").to_bytes(), "last");
}

#[rstest]
#[case::short(10)]
#[case::long(500_000)]
#[tokio::test]
async fn a_body_that_is_not_the_signed_one_never_arrives_whole(#[case] length: usize) {
    let (recorder, local) = both().await;
    let hash = SignableBody::Precomputed("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_owned());
    let answer = send(&local, Method::PUT, "/bkt/wrong", hash, Parts::of(vec![b'a'; length])).await;
    let status = answer.status();
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    let body = String::from_utf8_lossy(&body);
    assert_eq!(status, 400, "{body}");
    assert!(body.contains("<Code>XAmzContentSHA256Mismatch</Code>"), "{body}");
    let arrived = recorder.last(&Method::PUT, "/bkt/wrong").is_some_and(|put| put.whole);
    assert!(!arrived);
}

#[tokio::test]
async fn who_waits_for_leave_to_send_a_body_is_told_before_it_is_sent() {
    let (recorder, local) = both().await;
    let ask = |keys: &Keys| {
        let ask = Ask {
            headers: vec![
                ("expect", "100-continue".to_owned()),
                ("content-length", "5".to_owned()),
            ],
            payload: Some(SignableBody::UnsignedPayload),
            ..Ask::s3(Method::PUT, "/bkt/waited")
        };
        let request = local.world.sign(keys, ask);
        let mut text = format!(
            "PUT /bkt/waited HTTP/1.1\r\nhost: {}\r\n",
            request.uri().authority().expect("a host")
        );
        for (name, value) in request.headers() {
            text.push_str(&format!("{name}: {}\r\n", value.to_str().expect("a text")));
        }
        (text + "\r\n", request.uri().authority().expect("a host").to_string())
    };
    let (text, host) = ask(&local.partner);
    let mut stranger = TcpStream::connect(&host).await.expect("a connection");
    stranger.write_all(text.as_bytes()).await.expect("it is sent");
    let mut told = [0; 12];
    stranger.read_exact(&mut told).await.expect("an answer");
    assert_eq!(&told, b"HTTP/1.1 403", "the body is not asked for");
    assert!(recorder.last(&Method::PUT, "/bkt/waited").is_none());

    let (text, host) = ask(&local.world.root);
    let mut owner = TcpStream::connect(&host).await.expect("a connection");
    owner.write_all(text.as_bytes()).await.expect("it is sent");
    owner.read_exact(&mut told).await.expect("an answer");
    assert_eq!(&told, b"HTTP/1.1 100");
    owner.write_all(b"hello").await.expect("it is sent");
    until("the body has come", || {
        recorder.last(&Method::PUT, "/bkt/waited").is_some_and(|put| put.whole)
    })
    .await;
    let put = recorder.last(&Method::PUT, "/bkt/waited").expect("it is there");
    assert_eq!(
        (&put.body[..], put.headers.contains_key("expect")),
        (&b"hello"[..], false)
    );
}

#[tokio::test]
async fn chunks_pass_as_they_are() {
    let (recorder, local) = both().await;
    let chunks = "5\r\nreven\r\n5\r\nue,42\r\n0\r\nx-amz-checksum-crc32:+e0ZOg==\r\n\r\n";
    let ask = Ask {
        headers: vec![
            ("content-encoding", "aws-chunked".to_owned()),
            ("x-amz-decoded-content-length", "10".to_owned()),
            ("x-amz-trailer", "x-amz-checksum-crc32".to_owned()),
        ],
        body: chunks.as_bytes().to_vec(),
        payload: Some(SignableBody::StreamingUnsignedPayloadTrailer),
        ..Ask::s3(Method::PUT, "/bkt/chunks")
    };
    assert_eq!(local.world.ask(&local.world.root, ask).await.status, 200);
    let put = recorder.last(&Method::PUT, "/bkt/chunks").expect("it is there");
    assert_eq!(&put.body[..], chunks.as_bytes());
    let mode = put.headers.get("x-amz-content-sha256").expect("the mode");
    assert_eq!(mode, "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
}

#[rstest]
#[case::cut("5\r\nreven\r\n")]
#[case::another_length("5\r\nreven\r\n0\r\n\r\n")]
#[tokio::test]
async fn chunks_that_are_not_whole_are_refused_and_never_arrive_whole(#[case] chunks: &str) {
    let (recorder, local) = both().await;
    let ask = Ask {
        headers: vec![("x-amz-decoded-content-length", "10".to_owned())],
        body: chunks.as_bytes().to_vec(),
        payload: Some(SignableBody::StreamingUnsignedPayloadTrailer),
        ..Ask::s3(Method::PUT, "/bkt/chunks")
    };
    let reply = local.world.ask(&local.world.root, ask).await;
    assert_eq!(reply.error(), (400, "IncompleteBody"), "{}", reply.body);
    assert!(!recorder.last(&Method::PUT, "/bkt/chunks").is_some_and(|put| put.whole));
}

#[tokio::test]
async fn who_sends_all_before_it_reads_still_reads_why_it_is_refused() {
    let (recorder, local) = both().await;
    let body = vec![b'a'; 8_000_000];
    let ask = Ask {
        headers: vec![("content-length", body.len().to_string())],
        payload: Some(SignableBody::UnsignedPayload),
        ..Ask::s3(Method::PUT, "/bkt/large")
    };
    let request = local.world.sign(&local.partner, ask);
    let host = request.uri().authority().expect("a host").to_string();
    let mut text = format!("PUT /bkt/large HTTP/1.1\r\nhost: {host}\r\n");
    for (name, value) in request.headers() {
        text.push_str(&format!("{name}: {}\r\n", value.to_str().expect("a text")));
    }
    let mut client = TcpStream::connect(&host).await.expect("a connection");
    client.write_all((text + "\r\n").as_bytes()).await.expect("it is sent");
    client.write_all(&body).await.expect("all of it is taken");
    let mut told = [0; 12];
    client.read_exact(&mut told).await.expect("an answer");
    assert_eq!(&told, b"HTTP/1.1 403");
    assert!(recorder.last(&Method::PUT, "/bkt/large").is_none());
}
