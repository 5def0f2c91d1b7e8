use std::time::Duration;

use rolecall_imds::Tokens;
use rstest::rstest;

use crate::world::{NODE, OTHER_NODE, POD, World};

const TTL: &str = "X-aws-ec2-metadata-token-ttl-seconds";
const TOKEN: &str = "X-aws-ec2-metadata-token";
const ID: &str = "GET /latest/meta-data/instance-id";
const PUT: &str = "PUT /latest/api/token";

#[rstest]
#[case("1")]
#[case("21600")]
#[tokio::test]
async fn a_token_is_given_with_its_life(#[case] ttl: &str) {
    let world = World::start().await;
    let reply = world.ask(PUT, &[(TTL, ttl)]).await;
    assert_eq!((reply.status, reply.header(TTL)), (200, Some(ttl)));
    assert_eq!(reply.body.len(), 56);
    assert_eq!(reply.body.trim(), reply.body);
}

#[rstest]
#[case::missing(&[])]
#[case::zero(&[(TTL, "0")])]
#[case::too_long(&[(TTL, "21601")])]
#[case::far_too_long(&[(TTL, "99999999999999999999")])]
#[case::signed(&[(TTL, "+60")])]
#[case::negative(&[(TTL, "-1")])]
#[case::empty(&[(TTL, "")])]
#[case::no_number(&[(TTL, "ten")])]
#[tokio::test]
async fn a_token_without_a_legal_life_is_refused(#[case] headers: &[(&str, &str)]) {
    let world = World::start().await;
    assert_eq!(world.ask(PUT, headers).await.status, 400);
}

#[tokio::test]
async fn a_forwarded_token_request_is_forbidden() {
    let world = World::start().await;
    assert_eq!(
        world
            .ask(PUT, &[(TTL, "60"), ("X-Forwarded-For", "10.0.0.1")])
            .await
            .status,
        403
    );
    assert_eq!(world.ask(ID, &[("X-Forwarded-For", "10.0.0.1")]).await.status, 200);
}

#[rstest]
#[case::no_token_while_optional(Tokens::Optional, None, 200)]
#[case::no_token_while_required(Tokens::Required, None, 401)]
#[case::bad_token_while_optional(Tokens::Optional, Some("bad"), 401)]
#[case::bad_token_while_required(Tokens::Required, Some("bad"), 401)]
#[case::empty_token_while_optional(Tokens::Optional, Some(""), 401)]
#[tokio::test]
async fn a_request_needs_a_token_where_tokens_are_required(
    #[case] tokens: Tokens,
    #[case] token: Option<&str>,
    #[case] status: u16,
) {
    let world = World::with(|instance| instance.tokens = tokens).await;
    let headers: Vec<_> = token.map(|token| (TOKEN, token)).into_iter().collect();
    let reply = world.ask(ID, &headers).await;
    assert_eq!(reply.status, status);
    assert_eq!(reply.body == "i-node-1", status == 200);
}

#[tokio::test]
async fn a_token_is_good_until_the_world_says_it_has_expired() {
    let world = World::with(|instance| instance.tokens = Tokens::Required).await;
    let token = world.token("60").await;
    let fresh = world.ask(ID, &[(TOKEN, &token)]).await;
    assert_eq!((fresh.status, fresh.body.as_str()), (200, "i-node-1"));
    let left: u32 = fresh.header(TTL).unwrap().parse().unwrap();
    assert!((55..=60).contains(&left), "{left}");
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.ask(ID, &[(TOKEN, &token)]).await.status, 401);
}

#[tokio::test]
async fn a_token_of_one_instance_is_no_good_at_another() {
    let world = World::start().await;
    let token = world.token("60").await;
    assert_eq!(world.ask_from(POD, ID, &[(TOKEN, &token)]).await.status, 200);
    assert_eq!(world.ask_from(OTHER_NODE, ID, &[(TOKEN, &token)]).await.status, 401);
}

#[rstest]
#[case("PUT //LATEST/api%2Ftoken;x?y")]
#[case("PUT /2021-07-15/api/token/")]
#[tokio::test]
async fn a_token_is_given_by_any_spelling(#[case] request_line: &str) {
    let world = World::start().await;
    assert_eq!(world.ask(request_line, &[(TTL, "60")]).await.status, 200);
}

#[rstest]
#[case(1, NODE, true)]
#[case(1, POD, false)]
#[case(2, POD, true)]
#[tokio::test]
async fn a_token_gets_as_far_as_the_hop_limit(
    #[case] hop_limit: u8,
    #[case] from: std::net::Ipv4Addr,
    #[case] answered: bool,
) {
    let world = World::with(|instance| instance.hop_limit = hop_limit).await;
    // Long enough for an answer on the loopback; where there is to be none, time must pass.
    let patience = Duration::from_millis(if answered { 10_000 } else { 300 });
    let reply = world.ask_within(from, PUT, &[(TTL, "60")], patience).await;
    assert_eq!(reply.is_some(), answered, "{reply:?}");
    // Only the answer to a token request is limited.
    assert_eq!(world.ask_from(from, ID, &[]).await.status, 200);
}

#[rstest]
#[case("POST /latest/meta-data/instance-id")]
#[case("DELETE /latest/api/token")]
#[case("GET /latest/api/token")]
#[case("PUT /latest/meta-data/instance-id")]
#[tokio::test]
async fn a_method_that_is_not_the_paths_is_refused(#[case] request_line: &str) {
    let world = World::start().await;
    assert_eq!(world.ask(request_line, &[(TTL, "60")]).await.status, 405);
}
