use std::time::Duration;

use http::Method;
use rolecall_aws::{Door, Fault, FaultRecord, Verdict};
use rstest::rstest;

use crate::world::{Ask, World, query};

#[rstest]
#[case::iam("iam", "MakeCoffee", 400, "InvalidAction")]
#[case::sts("sts", "DecodeAuthorizationMessage", 400, "InvalidAction")]
#[case::an_action_of_another_service("iam", "AssumeRole", 400, "InvalidAction")]
#[case::ec2("ec2", "RunInstances", 400, "InvalidAction")]
#[tokio::test]
async fn an_unknown_action_is_answered_as_aws_does(
    #[case] service: &'static str,
    #[case] action: &str,
    #[case] status: u16,
    #[case] code: &str,
) {
    let world = World::start().await;
    let reply = world.ask(&world.root, query(service, action, &[])).await;
    assert_eq!(reply.error(), (status, code), "{}", reply.body);
    let entry = world.front.journal().pop().expect("an entry");
    assert_eq!((entry.operation.as_str(), entry.answer.as_str()), (action, code));
}

#[rstest]
#[case::sub_resource("/reports?inventory")]
#[case::version("/reports/k?versionId=7")]
#[tokio::test]
async fn an_s3_request_that_is_not_served_is_never_taken_for_another(#[case] path: &str) {
    let world = World::start().await;
    world.ask(&world.root, Ask::s3(Method::PUT, "/reports")).await;
    let reply = world.get(&world.root, path).await;
    assert_eq!(reply.error(), (501, "NotImplemented"), "{}", reply.body);
    assert_eq!(world.front.journal().pop().expect("an entry").operation, "unknown");
}

#[tokio::test]
async fn a_parameter_that_is_not_implemented_is_refused_instead_of_ignored() {
    let world = World::start().await;
    let node = world.node().await;
    let reply = world
        .assume(&node, "node", &[("ProvidedContexts.member.1.ProviderArn", "arn")])
        .await;
    assert_eq!(reply.error(), (400, "ValidationError"));
    assert!(reply.body.contains("ProvidedContexts"), "{}", reply.body);
}

#[rstest]
#[case("/2015-01-01/domain")]
#[case("/2021-01-01/domain")]
#[tokio::test]
async fn the_list_of_domains_needs_its_permission(#[case] path: &'static str) {
    let world = World::start().await;
    let pod = world.pod().await;
    let call = || Ask {
        service: "es",
        path,
        ..Ask::s3(Method::GET, "/")
    };
    let reply = world.ask(&pod, call()).await;
    assert_eq!(
        (reply.status, reply.header("x-amzn-errortype")),
        (403, "AccessDeniedException")
    );
    assert_eq!(
        reply.body,
        "{\"Message\":\"User: arn:aws:sts::123456789012:assumed-role/pod/session is not authorized to perform: \
         es:ListDomainNames because no identity-based policy allows the es:ListDomainNames action\"}"
    );
    let full = "arn:aws:iam::aws:policy/AmazonESFullAccess";
    world
        .iam("AttachRolePolicy", &[("RoleName", "pod"), ("PolicyArn", full)])
        .await;
    let reply = world.ask(&pod, call()).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "{\"DomainNames\":[]}"));
}

#[tokio::test]
async fn a_role_is_shown_as_iam_shows_it() {
    let world = World::start().await;
    let params = [
        ("RoleName", "pod"),
        ("Path", "/team/"),
        ("AssumeRolePolicyDocument", crate::world::TRUST_EC2),
        ("Tags.member.1.Key", "a"),
        ("Tags.member.1.Value", "b"),
        ("Description", "<b>"),
    ];
    world.iam("CreateRole", &params).await;
    let reply = world.iam("GetRole", &[("RoleName", "pod")]).await;
    assert_eq!(reply.element("Arn"), Some("arn:aws:iam::123456789012:role/team/pod"));
    assert_eq!(reply.element("MaxSessionDuration"), Some("3600"));
    assert_eq!(reply.element("Value"), Some("b"));
    assert_eq!(reply.element("Description"), Some("&lt;b&gt;"));
    assert!(
        reply
            .element("AssumeRolePolicyDocument")
            .is_some_and(|text| text.starts_with("%7B%22Version"))
    );
    assert!(reply.body.starts_with(
        "<GetRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetRoleResult><Role><Path>/team/"
    ));
}

#[tokio::test]
async fn an_injected_error_is_met_so_many_times_and_by_its_service_alone() {
    let world = World::start().await;
    world
        .front
        .inject("sts", Fault::Error("Throttling".to_owned()), Some(1));
    assert_eq!(world.get(&world.root, "/").await.status, 200);
    let reply = world.query(&world.root, "sts", "GetCallerIdentity", &[]).await;
    assert_eq!(reply.error(), (400, "Throttling"));
    let entry = world.front.journal().pop().expect("an entry");
    assert_eq!(
        (entry.answer.as_str(), entry.operation.as_str()),
        ("Throttling", "GetCallerIdentity")
    );
    assert_eq!(entry.caller.expect("who met it").key_id, "AKIAROOT");
    let record = world.front.decision(&entry.request_id).expect("it is kept");
    assert_eq!(record.verdict, Verdict::Failed("Throttling".to_owned()));
    assert_eq!(
        world.query(&world.root, "sts", "GetCallerIdentity", &[]).await.status,
        200
    );
    assert_eq!(world.front.heal("sts"), Some(FaultRecord { met: 1, left: Some(0) }));
    assert_eq!(world.front.heal("sts"), None);
}

#[tokio::test]
async fn an_injected_delay_holds_the_answer_back() {
    let world = World::start().await;
    let delay = Duration::from_millis(200);
    world.front.inject("sts", Fault::Delay(delay), None);
    let start = rolecall_clock::monotonic();
    assert_eq!(
        world.query(&world.root, "sts", "GetCallerIdentity", &[]).await.status,
        200
    );
    assert!(rolecall_clock::since(start) >= delay);
    assert_eq!(world.front.heal("sts"), Some(FaultRecord { met: 1, left: None }));
}

#[tokio::test]
async fn the_operators_door_meets_no_fault_and_is_told_apart() {
    let world = World::start().await;
    world.front.inject("sts", Fault::Error("Throttling".to_owned()), None);
    let operator = world.by(Door::Operator).await;
    assert_eq!(
        operator
            .query(&world.root, "sts", "GetCallerIdentity", &[])
            .await
            .status,
        200
    );
    assert_eq!(
        world.query(&world.root, "sts", "GetCallerIdentity", &[]).await.status,
        400
    );
    let doors: Vec<Door> = world.front.journal().iter().map(|entry| entry.door).collect();
    assert_eq!(doors, [Door::Operator, Door::World]);
    assert_eq!(world.front.journal_since(1).len(), 1);
    assert_eq!(world.front.journal_since(9).len(), 0);
}

#[tokio::test]
async fn lists_go_on_where_their_page_ended() {
    let world = World::start().await;
    for name in ["a", "b", "c"] {
        let params = [
            ("RoleName", name),
            ("AssumeRolePolicyDocument", crate::world::TRUST_EC2),
        ];
        world.iam("CreateRole", &params).await;
    }
    let first = world.iam("ListRoles", &[("MaxItems", "2")]).await;
    assert_eq!(first.element("IsTruncated"), Some("true"));
    let marker = first.element("Marker").expect("there is more").to_owned();
    let second = world.iam("ListRoles", &[("Marker", &marker)]).await;
    assert_eq!(second.element("RoleName"), Some("c"));
    assert_eq!(second.element("IsTruncated"), Some("false"));
}
