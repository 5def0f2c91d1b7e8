use rstest::rstest;

use crate::{
    signer::Keys,
    world::{Reply, World},
};

const BY_TEAM: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*",
    "Condition":{"StringEquals":{"aws:PrincipalTag/team":"red"}}}]}"#;
const BY_SOURCE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*",
    "Condition":{"StringEquals":{"aws:SourceIdentity":"alice"}}}]}"#;
const RED: [(&str, &str); 2] = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")];

fn trust(principal: &str, actions: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":{actions}}}]}}"#
    )
}

/// The user alice, the role `first` which trusts her and the role `second` which trusts the first, both with these actions.
async fn world(actions: &str) -> (World, Keys) {
    let world = World::start().await;
    let alice = world.user("alice").await;
    let account = "arn:aws:iam::123456789012";
    for (role, trusted) in [("first", "user/alice"), ("second", "role/first")] {
        let document = trust(&format!("{account}:{trusted}"), actions);
        let params = [("RoleName", role), ("AssumeRolePolicyDocument", document.as_str())];
        world.iam("CreateRole", &params).await;
        for (name, document) in [("team", BY_TEAM), ("source", BY_SOURCE)] {
            let params = [("RoleName", role), ("PolicyName", name), ("PolicyDocument", document)];
            world.iam("PutRolePolicy", &params).await;
        }
    }
    (world, alice)
}

const ALL: &str = r#"["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]"#;

async fn lists(world: &World, keys: &Keys, what: &str) -> u16 {
    let reply: Reply = world.query(keys, "iam", what, &[]).await;
    reply.status
}

#[tokio::test]
async fn a_session_has_the_tags_it_was_given_and_hands_on_the_transitive_ones() {
    let (world, alice) = world(ALL).await;
    let plain = world.assume(&alice, "first", &[]).await.keys();
    assert_eq!(lists(&world, &plain, "ListRoles").await, 403);
    let tagged = world.assume(&alice, "first", &RED).await;
    assert_eq!(tagged.element("PackedPolicySize"), Some("1"));
    assert_eq!(lists(&world, &tagged.keys(), "ListRoles").await, 200);
    let ended = world.assume(&tagged.keys(), "second", &[]).await.keys();
    assert_eq!(
        lists(&world, &ended, "ListRoles").await,
        403,
        "the tag was not transitive"
    );

    let mut transitive = RED.to_vec();
    transitive.push(("TransitiveTagKeys.member.1", "TEAM"));
    let first = world.assume(&alice, "first", &transitive).await.keys();
    let second = world.assume(&first, "second", &[]).await.keys();
    assert_eq!(lists(&world, &second, "ListRoles").await, 200);
    let blue = [("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "blue")];
    let changed = world.assume(&first, "second", &blue).await;
    assert_eq!(changed.error(), (400, "InvalidParameterValue"), "{}", changed.body);
}

#[tokio::test]
async fn a_tag_of_the_session_takes_the_place_of_the_roles() {
    let (world, alice) = world(ALL).await;
    let blue = [
        ("RoleName", "first"),
        ("Tags.member.1.Key", "Team"),
        ("Tags.member.1.Value", "blue"),
    ];
    world.iam("TagRole", &blue).await;
    let plain = world.assume(&alice, "first", &[]).await.keys();
    assert_eq!(lists(&world, &plain, "ListRoles").await, 403);
    let tagged = world.assume(&alice, "first", &RED).await.keys();
    assert_eq!(lists(&world, &tagged, "ListRoles").await, 200);
}

#[rstest]
#[case::tags(&RED, "sts:TagSession")]
#[case::source(&[("SourceIdentity", "alice")], "sts:SetSourceIdentity")]
#[tokio::test]
async fn what_a_session_is_told_needs_a_permission_of_its_own(#[case] params: &[(&str, &str)], #[case] action: &str) {
    let (world, alice) = world(r#"["sts:AssumeRole"]"#).await;
    assert_eq!(world.assume(&alice, "first", &[]).await.status, 200);
    let reply = world.assume(&alice, "first", params).await;
    assert_eq!(reply.error(), (403, "AccessDenied"), "{}", reply.body);
    assert!(reply.body.contains(action), "{}", reply.body);
}

#[tokio::test]
async fn a_source_identity_stays_for_the_whole_chain() {
    let (world, alice) = world(ALL).await;
    let first = world.assume(&alice, "first", &[("SourceIdentity", "alice")]).await;
    assert_eq!(first.element("SourceIdentity"), Some("alice"));
    let second = world.assume(&first.keys(), "second", &[]).await.keys();
    assert_eq!(lists(&world, &second, "ListUsers").await, 200);
    let other = world
        .assume(&first.keys(), "second", &[("SourceIdentity", "bob")])
        .await;
    assert_eq!(other.error(), (403, "AccessDenied"));
}

#[tokio::test]
async fn a_trust_policy_may_ask_for_tags() {
    let (world, alice) = world(ALL).await;
    let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
        "Principal":{"AWS":"arn:aws:iam::123456789012:user/alice"},"Action":["sts:AssumeRole","sts:TagSession"],
        "Condition":{"StringEquals":{"aws:RequestTag/team":"red"},
                     "ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}}]}"#;
    world
        .iam(
            "UpdateAssumeRolePolicy",
            &[("RoleName", "first"), ("PolicyDocument", document)],
        )
        .await;
    assert_eq!(world.assume(&alice, "first", &RED).await.status, 200);
    assert_eq!(world.assume(&alice, "first", &[]).await.status, 403);
    let mut two = RED.to_vec();
    two.extend([("Tags.member.2.Key", "other"), ("Tags.member.2.Value", "x")]);
    assert_eq!(world.assume(&alice, "first", &two).await.status, 403);
}

#[rstest]
#[case::twice(&[("Tags.member.1.Key", "a"), ("Tags.member.1.Value", ""), ("Tags.member.2.Key", "A"), ("Tags.member.2.Value", "")], "InvalidParameterValue")]
#[case::no_value(&[("Tags.member.1.Key", "a")], "ValidationError")]
#[case::reserved(&[("Tags.member.1.Key", "aws:a"), ("Tags.member.1.Value", "")], "ValidationError")]
#[case::transitive_of_none(&[("TransitiveTagKeys.member.1", "a")], "InvalidParameterValue")]
#[case::mfa(&[("SerialNumber", "arn:aws:iam::123456789012:mfa/a"), ("TokenCode", "123456")], "AccessDenied")]
#[tokio::test]
async fn what_is_no_tag_or_proof_is_refused(#[case] params: &[(&str, &str)], #[case] code: &str) {
    let (world, alice) = world(ALL).await;
    let reply = world.assume(&alice, "first", params).await;
    assert_eq!(reply.element("Code"), Some(code), "{}", reply.body);
}

#[tokio::test]
async fn policies_and_tags_of_a_session_are_limited_together() {
    let (world, alice) = world(ALL).await;
    let statement = r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#;
    let document = |n: usize| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
            vec![statement; n].join(",")
        )
    };
    let reply = world.assume(&alice, "first", &[("Policy", &document(60))]).await;
    assert_eq!(reply.error(), (400, "ValidationError"), "{}", reply.body);
    let mut params = vec![("Policy".to_owned(), document(30))];
    let long = "v".repeat(256);
    for n in 1..=10 {
        params.push((format!("Tags.member.{n}.Key"), format!("key{n}")));
        params.push((format!("Tags.member.{n}.Value"), long.clone()));
    }
    let params: Vec<(&str, &str)> = params
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let reply = world.assume(&alice, "first", &params).await;
    assert_eq!(reply.error(), (400, "PackedPolicyTooLarge"), "{}", reply.body);
}
