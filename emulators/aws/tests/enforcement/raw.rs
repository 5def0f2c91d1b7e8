//! What is no request at all, or one that never ends, over a plain socket.

use std::time::Duration;

use proptest::prelude::*;
use rolecall_clock::{monotonic, since};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::world::World;

/// Longer than anything here may take.
const LONG: Duration = Duration::from_secs(30);

/// Sends these bytes and nothing more, and reads until the front closes the connection or half a second passes.
async fn send(world: &World, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(world.address()).await.expect("the front listens");
    // The front may have closed it before all is written.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    let _ = tokio::time::timeout(LONG, reading).await.expect("an answer or an end");
    answer
}

async fn lives(world: &World) {
    let reply = world.get(&world.root, "/").await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

/// Bytes that are more often near to a request than random ones are.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just("GET / HTTP/1.1\r\n".to_owned()),
        Just("PUT /b/k?uploadId=x&partNumber=1 HTTP/1.1\r\n".to_owned()),
        Just("POST /b?delete HTTP/1.1\r\n".to_owned()),
        "[A-Z]{1,5} [ -~]{1,40} HTTP/1\\.[01]\r\n",
    ];
    let header = prop_oneof![
        Just("host: b.s3.us-east-1.amazonaws.com\r\n".to_owned()),
        Just("content-length: 5\r\n".to_owned()),
        Just("content-length: 99999999999999999999\r\n".to_owned()),
        Just("transfer-encoding: chunked\r\n".to_owned()),
        Just("x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\n".to_owned()),
        Just("content-type: application/x-www-form-urlencoded\r\n".to_owned()),
        "authorization: AWS4-HMAC-SHA256 Credential=AKIAROOT/[0-9]{8}/us-east-1/(s3|iam|sts|ec2|es)/aws4_request, \
         SignedHeaders=[a-z;-]{0,20}, Signature=[0-9a-f]{0,64}\r\n",
        "x-amz-[a-z-]{1,20}: [ -~]{0,30}\r\n",
        "[a-z-]{1,10}: [ -~]{0,30}\r\n",
    ];
    let rest = proptest::collection::vec(any::<u8>(), 0..200);
    let near = (line, proptest::collection::vec(header, 0..8), rest.clone()).prop_map(|(line, headers, rest)| {
        let mut bytes = line.into_bytes();
        bytes.extend(headers.concat().bytes());
        bytes.extend(b"\r\n");
        bytes.extend(rest);
        bytes
    });
    prop_oneof![3 => near, 1 => rest]
}

#[test]
fn nothing_that_is_sent_stops_the_front() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let world = runtime.block_on(World::start());
    proptest!(ProptestConfig::with_cases(200), |(bytes in bytes(), cut in any::<prop::sample::Index>())| {
        let end = cut.index(bytes.len() + 1);
        runtime.block_on(async {
            send(&world, &bytes).await;
            send(&world, &bytes[..end]).await;
        });
    });
    runtime.block_on(lives(&world));
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let world = World::start().await;
    let head = format!("GET / HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "a".repeat(1 << 20));
    let answer = send(&world, head.as_bytes()).await;
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    let many: String = (0..200).map(|n| format!("x-{n}: a\r\n")).collect();
    let answer = send(&world, format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n").as_bytes()).await;
    assert!(
        answer.starts_with(b"HTTP/1.1 431"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    lives(&world).await;
}

#[tokio::test]
async fn a_body_that_is_longer_than_may_be_is_refused_before_it_is_sent() {
    let world = World::start().await;
    let mut stream = TcpStream::connect(world.address()).await.expect("the front listens");
    let head = "PUT /b/k HTTP/1.1\r\nhost: x\r\ncontent-length: 10000000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("written");
    let mut answer = vec![0; 4096];
    let reading = stream.read(&mut answer);
    let read = tokio::time::timeout(LONG, reading)
        .await
        .expect("in time")
        .expect("an answer");
    let text = String::from_utf8_lossy(&answer[..read]);
    assert!(
        text.starts_with("HTTP/1.1 400") && text.contains("<Code>EntityTooLarge</Code>"),
        "{text}"
    );
    lives(&world).await;
}

#[tokio::test]
async fn a_body_that_ends_early_is_told_as_such() {
    let world = World::start().await;
    let answer = send(&world, b"PUT /b/k HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc").await;
    let text = String::from_utf8_lossy(&answer);
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 400"), "{text}");
    lives(&world).await;
}

/// A head of which a byte comes now and then is given up after ten seconds; others are served meanwhile.
#[tokio::test]
async fn a_head_that_comes_slowly_is_given_up() {
    let world = World::start().await;
    let start = monotonic();
    let mut streams = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(world.address()).await.expect("the front listens");
        stream.write_all(b"GET / HTTP/1.1\r\nhost: ").await.expect("written");
        streams.push(stream);
    }
    lives(&world).await;
    let ended = async {
        for mut stream in streams {
            // A byte after the other keeps no connection open.
            let mut answer = [0; 512];
            loop {
                let _ = stream.write_all(b"x").await;
                match tokio::time::timeout(Duration::from_millis(100), stream.read(&mut answer)).await {
                    Err(_) => {}
                    Ok(Ok(read)) if read > 0 => {}
                    Ok(_) => break,
                }
            }
        }
    };
    tokio::time::timeout(LONG, ended).await.expect("all are closed");
    assert!(since(start) < LONG);
    lives(&world).await;
}
