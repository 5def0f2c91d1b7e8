//! One raw request: what is written, and what is made of what comes back.

use crate::server::{Server, Then};
use rolecall_probe::{Asked, Imds, Masked, Patience, Report, SilenceKind, Task, TokenUse, perform};
use rstest::rstest;
use tokio::{io::AsyncWriteExt as _, net::TcpSocket};

async fn ask(task: Imds) -> Vec<Asked> {
    match perform(Task::Imds(task)).await {
        Report::Asked(asked) => asked,
        other => panic!("{other:?}"),
    }
}

async fn ask_once(task: Imds) -> Asked {
    ask(task).await.pop().expect("one answer")
}

fn get(target: &str, to: &str) -> Imds {
    Imds {
        to: to.to_owned(),
        ..Imds::new("GET", target)
    }
}

fn ok(body: &str) -> Then {
    Then::Answer(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes())
}

#[rstest]
#[case("/latest//meta-data/%69am/./x;y")]
#[case("/latest/meta-data/../user-data")]
#[case("//latest/meta-data")]
#[case("latest/meta-data")]
#[case("/latest/{a}|\\^`\"<>")]
#[case("/latest/ä?x#y")]
#[case("http://elsewhere/latest/")]
#[tokio::test]
async fn a_target_arrives_byte_for_byte(#[case] target: &str) {
    let server = Server::start(|_, _| ok("")).await;
    let asked = ask_once(get(target, &server.address)).await;
    assert_eq!(asked.failure, None);
    let requests = server.requests();
    assert_eq!(
        requests[0].lines().next(),
        Some(format!("GET {target} HTTP/1.1").as_str())
    );
}

#[tokio::test]
async fn a_raw_request_carries_what_was_given_and_nothing_else() {
    let server = Server::start(|_, _| ok("")).await;
    let task = Imds {
        headers: vec![
            ("X-Forwarded-For".to_owned(), "10.0.0.1".into()),
            ("x".to_owned(), "Y".into()),
        ],
        body: Some("hello".into()),
        method: "PoSt".to_owned(),
        ..get("/latest/", &server.address)
    };
    ask_once(task).await;
    let expected = format!(
        "PoSt /latest/ HTTP/1.1\r\nHost: {}\r\nX-Forwarded-For: 10.0.0.1\r\nx: Y\r\nContent-Length: 5\r\n\r\nhello",
        server.address
    );
    assert_eq!(server.requests(), [expected]);
}

#[tokio::test]
async fn a_given_host_replaces_the_address() {
    let server = Server::start(|_, _| ok("")).await;
    let headers = vec![("host".to_owned(), Masked::new("evil.example"))];
    ask_once(Imds {
        headers,
        ..get("/", &server.address)
    })
    .await;
    assert_eq!(server.requests(), ["GET / HTTP/1.1\r\nhost: evil.example\r\n\r\n"]);
}

#[tokio::test]
async fn a_fresh_token_is_asked_for_and_carried() {
    let server = Server::start(|_, _| ok("tok")).await;
    let task = Imds {
        token: TokenUse::Fresh,
        ..get("/latest/", &server.address)
    };
    let asked = ask_once(task).await;
    let requests = server.requests();
    assert!(
        requests[0].starts_with("PUT /latest/api/token HTTP/1.1\r\n"),
        "{requests:?}"
    );
    assert!(
        requests[0].contains("x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n"),
        "{requests:?}"
    );
    assert!(
        requests[1].contains("x-aws-ec2-metadata-token: tok\r\n"),
        "{requests:?}"
    );
    assert_eq!((asked.exchanges.len(), asked.ended_at), (2, 1));
}

#[rstest]
#[case::by_length("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello")]
#[case::in_chunks(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nT: 1\r\n\r\n",
    "hello"
)]
#[case::until_closed("HTTP/1.0 200 OK\r\n\r\nhello", "hello")]
#[case::after_a_continue(
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "hello"
)]
#[case::without_reason("HTTP/1.1 200\r\ncontent-length:5\r\n\r\nhello", "hello")]
#[case::with_a_bad_header("HTTP/1.1 200 OK\r\nbad header\r\nContent-Length: 5\r\n\r\nhello", "hello")]
#[tokio::test]
async fn a_body_is_read_however_it_is_framed(#[case] answer: &'static str, #[case] body: &str) {
    let server = Server::start(move |_, _| Then::Close(answer.into())).await;
    let asked = ask_once(get("/", &server.address)).await;
    assert_eq!(asked.failure, None);
    let last = asked.last().expect("an exchange");
    assert_eq!((last.status, last.body.text.as_str()), (Some(200), body));
}

#[tokio::test]
async fn the_answer_to_a_head_has_no_body_to_wait_for() {
    let server = Server::start(|_, _| Then::Answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".into())).await;
    let asked = ask_once(Imds {
        method: "HEAD".to_owned(),
        ..get("/", &server.address)
    })
    .await;
    assert_eq!(
        (asked.failure.clone(), asked.last().and_then(|last| last.status)),
        (None, Some(200))
    );
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let server = Server::start(|_, _| {
        Then::Answer("HTTP/1.1 301 Moved\r\nLocation: /latest/\r\nContent-Length: 0\r\n\r\n".into())
    });
    let server = server.await;
    let asked = ask_once(get("/latest", &server.address)).await;
    let last = asked.last().expect("an exchange");
    assert_eq!((last.status, last.header("location")), (Some(301), Some("/latest/")));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn bytes_that_are_not_text_are_kept_exactly() {
    let server = Server::start(|_, _| Then::Close(b"HTTP/1.1 200 OK\r\n\r\n\xff\x00a".to_vec())).await;
    let asked = ask_once(get("/", &server.address)).await;
    assert_eq!(asked.last().map(|last| last.body.bytes()), Some(b"\xff\x00a".to_vec()));
}

#[tokio::test]
async fn of_a_long_body_the_first_64_kib_are_kept() {
    let server = Server::start(|_, _| ok(&"x".repeat(100_000))).await;
    let asked = ask_once(get("/", &server.address)).await;
    let body = &asked.last().expect("an exchange").body;
    assert_eq!(
        (body.text.len(), body.truncated, asked.failure.is_none()),
        (65_536, true, true)
    );
}

#[tokio::test]
async fn half_a_body_is_kept_beside_the_silence() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"AccessKeyId\"";
    let server = Server::start(move |_, _| Then::Close(answer.into())).await;
    let asked = ask_once(get("/", &server.address)).await;
    assert_eq!(
        asked.failure.as_ref().map(|silence| silence.kind),
        Some(SilenceKind::Closed)
    );
    let last = asked.last().expect("an exchange");
    assert_eq!((last.status, last.body.text.as_str()), (Some(200), "{\"AccessKeyId\""));
}

#[rstest]
#[case::hangs(|| Then::Hang, SilenceKind::TimedOut)]
#[case::closes(|| Then::Close(Vec::new()), SilenceKind::Closed)]
#[case::resets(|| Then::Reset, SilenceKind::Reset)]
#[case::speaks_something_else(|| Then::Close("SSH-2.0-OpenSSH\r\n".into()), SilenceKind::Unreadable)]
#[tokio::test]
async fn a_silence_is_told_by_its_kind(#[case] then: fn() -> Then, #[case] kind: SilenceKind) {
    let server = Server::start(move |_, _| then()).await;
    let patience = Patience {
        connect_ms: 1_000,
        whole_ms: 200,
    };
    let asked = ask_once(Imds {
        patience,
        ..get("/", &server.address)
    })
    .await;
    assert_eq!(
        asked.failure.as_ref().map(|silence| silence.kind),
        Some(kind),
        "{asked:?}"
    );
    assert_eq!(asked.last().and_then(|last| last.status), None);
}

#[rstest]
#[case::nothing_listens(None, SilenceKind::Refused)]
#[case::no_address(Some("nowhere"), SilenceKind::Unreachable)]
#[tokio::test]
async fn a_connection_that_fails_is_a_silence_too(#[case] to: Option<&str>, #[case] kind: SilenceKind) {
    // Bound, so that nobody else gets this address, but never listening.
    let bound = TcpSocket::new_v4().expect("a socket");
    bound
        .bind("127.0.0.1:0".parse().expect("an address"))
        .expect("a free port");
    let free = bound.local_addr().expect("an address").to_string();
    let asked = ask_once(get("/x", to.unwrap_or(&free))).await;
    assert_eq!(
        asked.failure.as_ref().map(|silence| silence.kind),
        Some(kind),
        "{asked:?}"
    );
    assert_eq!(asked.last().map(|last| last.target.as_str()), Some("/x"));
}

#[tokio::test]
async fn requests_at_once_are_all_open_before_the_first_byte() {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .bind("127.0.0.1:0".parse().expect("an address"))
        .expect("a free port");
    // Room for two that nobody accepted yet: the kernel drops the third's first SYN, and the next comes a second later.
    let listener = socket.listen(1).expect("listening");
    let to = listener.local_addr().expect("an address").to_string();
    let server = async {
        let (mut byte_of_first, mut byte_of_second) = ([0], [0]);
        let (first, _) = listener.accept().await.expect("accepted");
        let (second, _) = listener.accept().await.expect("accepted");
        let third = tokio::select! {
            biased;
            accepted = listener.accept() => accepted.expect("accepted").0,
            _ = first.peek(&mut byte_of_first) => panic!("the first wrote before the third was open"),
            _ = second.peek(&mut byte_of_second) => panic!("the second wrote before the third was open"),
        };
        let mut streams = [first, second, third];
        for stream in &mut streams {
            stream
                .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
                .await
                .expect("written");
        }
        // Closed with unread bytes a connection is reset, so they live until every answer was read.
        streams
    };
    let patience = Patience {
        connect_ms: 10_000,
        whole_ms: 5_000,
    };
    let task = Imds {
        at_once: 3,
        patience,
        ..get("/", &to)
    };
    let (asked, _streams) = tokio::join!(ask(task), server);
    let statuses: Vec<_> = asked
        .iter()
        .map(|asked| asked.last().and_then(|last| last.status))
        .collect();
    assert_eq!(statuses, [Some(204); 3]);
}

#[rstest]
#[case(0)]
#[case(5_000)]
#[tokio::test]
async fn at_once_is_bounded(#[case] at_once: usize) {
    let report = perform(Task::Imds(Imds {
        at_once,
        ..get("/", "127.0.0.1:9")
    }))
    .await;
    assert!(
        matches!(&report, Report::Error(err) if err.contains("at_once")),
        "{report:?}"
    );
}
