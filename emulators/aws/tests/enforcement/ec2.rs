use std::time::Duration;

use rolecall_aws::Ec2Instance;
use rstest::rstest;

use crate::world::{Reply, World, keys, query};

const EC2_READ: &str = "arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess";

fn instance(number: u8) -> Ec2Instance {
    Ec2Instance {
        instance_id: format!("i-0000000000000000{number}"),
        instance_type: "t3.medium".to_owned(),
        ami_id: "ami-0000000000000001".to_owned(),
        private_ip: [10, 0, 0, number].into(),
        private_dns_name: format!("ip-10-0-0-{number}.ec2.internal"),
        availability_zone: "us-east-1a".to_owned(),
        instance_profile_arn: Some("arn:aws:iam::123456789012:instance-profile/nodes".to_owned()),
        instance_profile_id: None,
        tags: vec![
            ("Name".to_owned(), format!("node-{number}")),
            ("KubernetesCluster".to_owned(), "example.cluster.k8s.local".to_owned()),
        ],
    }
}

async fn with_instances() -> World {
    let world = World::start().await;
    world.node().await;
    let elsewhere = Ec2Instance {
        availability_zone: "eu-west-1b".to_owned(),
        ..instance(9)
    };
    world.front.set_instances(vec![instance(1), instance(2), elsewhere]);
    world
}

/// The ids of the instances in an answer, by their last digit.
fn numbers(reply: &Reply) -> Vec<u32> {
    let parts = reply.body.split("<instanceId>").skip(1);
    parts
        .filter_map(|part| part.split_once('<')?.0.chars().next_back()?.to_digit(10))
        .collect()
}

#[tokio::test]
async fn an_instance_is_shown_with_its_profile() {
    let world = with_instances().await;
    let id = world
        .iam("GetInstanceProfile", &[("InstanceProfileName", "nodes")])
        .await
        .element("InstanceProfileId")
        .expect("an id")
        .to_owned();
    let reply = world
        .query(
            &world.root,
            "ec2",
            "DescribeInstances",
            &[("InstanceId.1", &instance(1).instance_id)],
        )
        .await;
    let since = reply.element("launchTime").expect("a time").to_owned();
    assert_eq!(reply.header("content-type"), "text/xml;charset=UTF-8");
    let shown = reply.masked().replace(&id, "PROFILE").replace(&since, "TIME");
    insta::assert_snapshot!(shown, @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>MASKED</requestId><reservationSet><item><reservationId>r-00000000000000001</reservationId><ownerId>123456789012</ownerId><groupSet></groupSet><instancesSet><item><instanceId>i-00000000000000001</instanceId><imageId>ami-0000000000000001</imageId><instanceState><code>16</code><name>running</name></instanceState><privateDnsName>ip-10-0-0-1.ec2.internal</privateDnsName><dnsName></dnsName><amiLaunchIndex>0</amiLaunchIndex><instanceType>t3.medium</instanceType><launchTime>TIME</launchTime><placement><availabilityZone>us-east-1a</availabilityZone><tenancy>default</tenancy></placement><privateIpAddress>10.0.0.1</privateIpAddress><tagSet><item><key>Name</key><value>node-1</value></item><item><key>KubernetesCluster</key><value>example.cluster.k8s.local</value></item></tagSet><iamInstanceProfile><arn>arn:aws:iam::123456789012:instance-profile/nodes</arn><id>PROFILE</id></iamInstanceProfile></item></instancesSet></item></reservationSet></DescribeInstancesResponse>
    "#);
}

#[rstest]
#[case::all(&[], &[1, 2])]
#[case::id(&[("InstanceId.1", "i-00000000000000002")], &[2])]
#[case::id_filter(&[("Filter.1.Name", "instance-id"), ("Filter.1.Value.1", "i-00000000000000001")], &[1])]
#[case::address(&[("Filter.1.Name", "private-ip-address"), ("Filter.1.Value.1", "10.0.0.2")], &[2])]
#[case::name(&[("Filter.1.Name", "private-dns-name"), ("Filter.1.Value.1", "ip-10-0-0-1.ec2.internal")], &[1])]
#[case::tag(&[("Filter.1.Name", "tag:Name"), ("Filter.1.Value.1", "node-9"), ("Filter.1.Value.2", "node-2")], &[2])]
#[case::pattern(&[("Filter.1.Name", "tag:Name"), ("Filter.1.Value.1", "node-*")], &[1, 2])]
#[case::state(&[("Filter.1.Name", "instance-state-name"), ("Filter.1.Value.1", "running")], &[1, 2])]
#[case::stopped(&[("Filter.1.Name", "instance-state-name"), ("Filter.1.Value.1", "stopped")], &[])]
#[case::no_such_tag(&[("Filter.1.Name", "tag:Role"), ("Filter.1.Value.1", "*")], &[])]
#[case::both_filters(
    &[("Filter.1.Name", "tag:KubernetesCluster"), ("Filter.1.Value.1", "example.cluster.k8s.local"),
      ("Filter.2.Name", "tag:Name"), ("Filter.2.Value.1", "node-1")],
    &[1]
)]
#[case::filter_and_id(
    &[("InstanceId.1", "i-00000000000000001"), ("Filter.1.Name", "tag:Name"), ("Filter.1.Value.1", "node-2")],
    &[]
)]
#[tokio::test]
async fn instances_of_the_region_are_found_by_id_and_filter(#[case] params: &[(&str, &str)], #[case] expected: &[u32]) {
    let world = with_instances().await;
    let reply = world.query(&world.root, "ec2", "DescribeInstances", params).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(numbers(&reply), expected);
}

#[rstest]
#[case::absent(&[("InstanceId.1", "i-0000000000000000a")], 400, "InvalidInstanceID.NotFound")]
#[case::of_another_region(&[("InstanceId.1", "i-00000000000000009")], 400, "InvalidInstanceID.NotFound")]
#[case::malformed(&[("InstanceId.1", "node-1")], 400, "InvalidInstanceID.Malformed")]
#[case::no_filter(&[("Filter.1.Name", "colour"), ("Filter.1.Value.1", "red")], 400, "InvalidParameterValue")]
#[case::no_filter_though_another_fails(
    &[("Filter.1.Name", "tag:Name"), ("Filter.1.Value.1", "no"), ("Filter.2.Name", "colour"), ("Filter.2.Value.1", "red")],
    400,
    "InvalidParameterValue"
)]
#[case::filter_without_values(&[("Filter.1.Name", "tag:Name")], 400, "InvalidParameterValue")]
#[case::filter_without_name(&[("Filter.1.Value.1", "red")], 400, "MissingParameter")]
#[case::filter_of_another_form(&[("Filter.Name", "tag:Name")], 400, "UnknownParameter")]
#[case::parameter(&[("Colour", "red")], 400, "UnknownParameter")]
#[case::page_too_small(&[("MaxResults", "4")], 400, "InvalidParameterValue")]
#[case::page_of_ids(&[("MaxResults", "5"), ("InstanceId.1", "i-00000000000000001")], 400, "InvalidParameterCombination")]
#[case::page_behind_the_end(&[("NextToken", "7")], 400, "InvalidParameterValue")]
#[case::dry_run(&[("DryRun", "true")], 412, "DryRunOperation")]
#[tokio::test]
async fn what_ec2_does_not_understand_it_refuses(
    #[case] params: &[(&str, &str)],
    #[case] status: u16,
    #[case] code: &str,
) {
    let world = with_instances().await;
    let reply = world.query(&world.root, "ec2", "DescribeInstances", params).await;
    assert_eq!(reply.error(), (status, code), "{}", reply.body);
}

#[tokio::test]
async fn a_role_without_permission_is_told_so_in_ec2s_words() {
    let world = with_instances().await;
    let pod = world.node_session().await;
    let reply = world
        .query(&pod, "ec2", "DescribeInstances", &[("DryRun", "true")])
        .await;
    assert_eq!(reply.status, 403);
    insta::assert_snapshot!(reply.masked(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized to perform this operation. User: arn:aws:sts::123456789012:assumed-role/node/i-1 is not authorized to perform: ec2:DescribeInstances because no identity-based policy allows the ec2:DescribeInstances action</Message></Error></Errors><RequestID>MASKED</RequestID></Response>
    "#);
    world
        .iam("AttachRolePolicy", &[("RoleName", "node"), ("PolicyArn", EC2_READ)])
        .await;
    let reply = world.query(&pod, "ec2", "DescribeInstances", &[]).await;
    assert_eq!(numbers(&reply), [1, 2]);
}

#[tokio::test]
async fn ec2_has_its_own_words_for_keys_that_are_not_good() {
    let world = with_instances().await;
    let pod = world.node_session().await;
    let mut unknown = world.root.clone();
    unknown.id = "AKIANOBODY".to_owned();
    let mut wrong = world.root.clone();
    wrong.secret = "another".to_owned();
    for keys in [unknown, wrong] {
        let reply = world.query(&keys, "ec2", "DescribeRegions", &[]).await;
        assert_eq!(reply.status, 401);
        assert_eq!(
            reply.masked(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>AuthFailure</Code><Message>AWS was \
             not able to validate the provided access credentials</Message></Error></Errors>\
             <RequestID>MASKED</RequestID></Response>"
        );
    }
    world.clock.advance(Duration::from_secs(6 * 3600));
    let expired = world.query(&pod, "ec2", "DescribeRegions", &[]).await;
    assert_eq!(expired.error(), (400, "RequestExpired"));
    assert_eq!(expired.element("Message"), Some("Request has expired."));
}

#[tokio::test]
async fn another_account_sees_no_instances() {
    let world = with_instances().await;
    let reply = world.query(&world.partner(), "ec2", "DescribeInstances", &[]).await;
    assert_eq!((reply.status, reply.element("reservationSet")), (200, Some("")));
}

#[tokio::test]
async fn an_instance_keeps_its_launch_time_when_others_join() {
    let world = with_instances().await;
    let of = async |number: u8| {
        let id = instance(number).instance_id;
        let reply = world
            .query(&world.root, "ec2", "DescribeInstances", &[("InstanceId.1", &id)])
            .await;
        reply.element("launchTime").expect("a time").to_owned()
    };
    let before = of(1).await;
    world.clock.advance(Duration::from_secs(60));
    world.front.set_instances(vec![instance(1), instance(3)]);
    assert_eq!(of(1).await, before);
    assert_ne!(of(3).await, before);
}

#[tokio::test]
async fn instances_come_in_pages() {
    let world = with_instances().await;
    world.front.set_instances((1..=7).map(instance).collect());
    let first = world
        .query(&world.root, "ec2", "DescribeInstances", &[("MaxResults", "5")])
        .await;
    assert_eq!(numbers(&first), [1, 2, 3, 4, 5]);
    let token = first.element("nextToken").expect("there is more");
    let second = world
        .query(&world.root, "ec2", "DescribeInstances", &[("NextToken", token)])
        .await;
    assert_eq!((numbers(&second), second.element("nextToken")), (vec![6, 7], None));
}

#[tokio::test]
async fn the_association_of_an_instance_names_its_profile() {
    let world = with_instances().await;
    let params = [
        ("Filter.1.Name", "instance-id"),
        ("Filter.1.Value.1", "i-00000000000000002"),
    ];
    let reply = world
        .query(&world.root, "ec2", "DescribeIamInstanceProfileAssociations", &params)
        .await;
    assert_eq!(numbers(&reply), [2], "{}", reply.body);
    assert_eq!(
        (reply.element("arn"), reply.element("state")),
        (
            Some("arn:aws:iam::123456789012:instance-profile/nodes"),
            Some("associated")
        )
    );
    let id = reply.element("associationId").expect("an id").to_owned();
    let again = world
        .query(
            &world.root,
            "ec2",
            "DescribeIamInstanceProfileAssociations",
            &[("AssociationId.1", &id)],
        )
        .await;
    assert_eq!(numbers(&again), [2]);
    let absent = world
        .query(
            &world.root,
            "ec2",
            "DescribeIamInstanceProfileAssociations",
            &[("AssociationId.1", "iip-assoc-0")],
        )
        .await;
    assert_eq!(absent.error(), (400, "InvalidAssociationID.NotFound"));
}

#[rstest]
#[case::by_default(&[], 17, Some("ap-northeast-1"))]
#[case::all(&[("AllRegions", "true")], 34, Some("ap-northeast-1"))]
#[case::by_name(&[("RegionName.1", "eu-west-1")], 1, Some("eu-west-1"))]
#[case::by_name_not_opted_in(&[("RegionName.1", "af-south-1")], 1, Some("af-south-1"))]
#[case::by_filter(&[("Filter.1.Name", "region-name"), ("Filter.1.Value.1", "us-west-*")], 2, Some("us-west-1"))]
#[case::by_endpoint(&[("Filter.1.Name", "endpoint"), ("Filter.1.Value.1", "*us-east-2*")], 1, Some("us-east-2"))]
#[case::none(&[("Filter.1.Name", "region-name"), ("Filter.1.Value.1", "moon-1")], 0, None)]
#[tokio::test]
async fn the_regions_are_those_of_the_commercial_partition(
    #[case] params: &[(&str, &str)],
    #[case] count: usize,
    #[case] first: Option<&str>,
) {
    let world = World::start().await;
    let reply = world.query(&world.root, "ec2", "DescribeRegions", params).await;
    assert_eq!(reply.body.matches("<item>").count(), count, "{}", reply.body);
    assert_eq!(reply.element("regionName"), first);
    if let Some(first) = first {
        assert_eq!(
            reply.element("regionEndpoint"),
            Some(format!("ec2.{first}.amazonaws.com").as_str())
        );
    }
}

#[tokio::test]
async fn a_region_that_is_none_is_refused() {
    let world = World::start().await;
    let reply = world
        .query(&world.root, "ec2", "DescribeRegions", &[("RegionName.1", "moon-1")])
        .await;
    assert_eq!(reply.error(), (400, "InvalidParameterValue"));
    assert_eq!(reply.element("Message"), Some("Invalid region provided: moon-1"));
}

#[tokio::test]
async fn a_request_to_ec2_by_get_is_the_same_one() {
    let world = with_instances().await;
    let mut ask = query("ec2", "DescribeInstances", &[]);
    ask.method = http::Method::GET;
    ask.path = "/?Action=DescribeInstances&Version=2016-11-15&InstanceId.1=i-00000000000000002";
    ask.headers.clear();
    ask.body.clear();
    assert_eq!(numbers(&world.ask(&world.root, ask).await), [2]);
}

impl World {
    /// The keys of the node, made before.
    async fn node_session(&self) -> crate::signer::Keys {
        keys(
            &self
                .front
                .instance_credentials("nodes", "i-1")
                .await
                .expect("EC2 is trusted"),
        )
    }
}
