//! Actions and resources.

use rstest::rstest;

use crate::ask::{Ask, root, session, statement, user};

#[rstest]
#[case("*", "s3:GetObject", true)]
#[case("*:*", "s3:GetObject", true)]
#[case("s3:*", "s3:GetObject", true)]
#[case("s3:Get*", "s3:GetObject", true)]
#[case("s3:*Object", "s3:GetObject", true)]
#[case("s3:G?tObject", "s3:GetObject", true)]
#[case("s3:G?Object", "s3:GetObject", false)]
#[case("S3:getobject", "s3:GetObject", true)]
#[case("s3:GETOBJECT", "s3:getObject", true)]
#[case("s3:Get", "s3:GetObject", false)]
#[case("s3:GetObject?", "s3:GetObject", false)]
#[case("s3:GetObject*", "s3:GetObject", true)]
#[case("s3:*e*b*c*", "s3:GetObject", true)]
#[case("s3:*b*e*g*", "s3:GetObject", false)]
#[case("s3-outposts:*", "s3:GetObject", false)]
#[case("s3:*", "s3-outposts:GetObject", false)]
fn actions_match_whole_and_whatever_the_case(#[case] policy: &str, #[case] asked: &str, #[case] allowed: bool) {
    let ask = Ask::new(user(), asked, "arn:aws:s3:::b/k").identity(&statement("Allow", policy, "*"));
    assert_eq!(ask.allowed(), allowed);
}

#[rstest]
#[case("*", "arn:aws:s3:::b/k", true)]
#[case("*", "*", true)]
#[case("arn:aws:s3:::b/*", "arn:aws:s3:::b/k/deep", true)]
#[case("arn:aws:s3:::b/*", "arn:aws:s3:::b/", true)]
#[case("arn:aws:s3:::b/*", "arn:aws:s3:::b", false)]
#[case("arn:aws:s3:::b", "arn:aws:s3:::b/k", false)]
#[case("arn:aws:s3:::B/*", "arn:aws:s3:::b/k", false)]
#[case("arn:aws:s3:::b/?", "arn:aws:s3:::b/k", true)]
#[case("arn:aws:s3:::b/?", "arn:aws:s3:::b/kk", false)]
#[case("arn:aws:s3:::b/?", "arn:aws:s3:::b/é", true)]
#[case("arn:aws:s3:::b*", "arn:aws:s3:::b-other/k", true)]
#[case("arn:aws:s3:*", "arn:aws:s3:::b/k", true)]
#[case("arn:*:s3:::b/k", "arn:aws:s3:::b/k", true)]
#[case("arn:aws:s3:::*", "*", false)]
#[case(
    "arn:aws:ec2:*:*:instance/i-1",
    "arn:aws:ec2:us-east-1:123456789012:instance/i-1",
    true
)]
#[case(
    "arn:aws:logs:us-*-1:123456789012:log-group:x:*",
    "arn:aws:logs:us-east-1:123456789012:log-group:x:y:z",
    true
)]
fn resources_match_whole_and_by_case(#[case] policy: &str, #[case] asked: &str, #[case] allowed: bool) {
    let ask = Ask::new(user(), "s3:GetObject", asked).identity(&statement("Allow", "s3:*", policy));
    assert_eq!(ask.allowed(), allowed);
}

#[rstest]
#[case::within("arn:aws:ec2:us-*-1:123456789012:instance/x", true)]
#[case::star_beyond_its_segment("arn:aws:ec2:us*12:instance/x", false)]
#[case::stars_beyond_their_segment("arn:aws:ec2:us**12:instance/x", false)]
#[case::star_that_ends_its_segment("arn:aws:ec2:us*:instance/x", true)]
#[case::stars_that_end_their_segment("arn:aws:ec2:us**:instance/x", true)]
#[case::question_mark("arn:aws:ec2:us-east-1?123456789012:instance/*", false)]
fn a_wildcard_in_the_middle_of_an_arn_segment_stays_in_it(#[case] policy: &str, #[case] allowed: bool) {
    let ask = Ask::new(
        user(),
        "ec2:StartInstances",
        "arn:aws:ec2:us-east-1:123456789012:instance/x",
    )
    .identity(&statement("Allow", "ec2:*", policy));
    assert_eq!(ask.allowed(), allowed);
}

#[rstest]
#[case("s3:GetObject", "arn:aws:s3:::b/k", true)]
#[case("iam:CreateUser", "arn:aws:s3:::b/k", false)]
#[case("IAM:createuser", "arn:aws:s3:::b/k", false)]
#[case("s3:GetObject", "arn:aws:s3:::secret/k", false)]
fn not_action_and_not_resource_mean_everything_else(
    #[case] action: &str,
    #[case] resource: &str,
    #[case] allowed: bool,
) {
    let ask = Ask::new(user(), action, resource).identity(
        r#"{"Statement": {"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "NotResource": ["arn:aws:s3:::secret/*"]}}"#,
    );
    assert_eq!(ask.allowed(), allowed);
}

#[rstest]
#[case("2012-10-17", "home/${aws:username}/*", "home/alice/x", true)]
#[case("2012-10-17", "home/${aws:UserName}/*", "home/alice/x", true)]
#[case("2012-10-17", "home/${aws:username}/*", "home/bob/x", false)]
#[case("2012-10-17", "home/${aws:username}/*", "home/${aws:username}/x", false)]
#[case("2008-10-17", "home/${aws:username}/*", "home/alice/x", false)]
#[case("2008-10-17", "home/${aws:username}/*", "home/${aws:username}/x", true)]
#[case("2012-10-17", "${aws:PrincipalTag/team}/x", "/x", false)]
#[case("2012-10-17", "${aws:PrincipalTag/team, 'nobody'}/x", "nobody/x", true)]
#[case("2012-10-17", "${aws:PrincipalTag/team, '}'}/x", "}/x", true)]
#[case("2012-10-17", "${aws:PrincipalAccount}/x", "123456789012/x", true)]
#[case("2012-10-17", "${aws:PrincipalTag/my team, 'x'}/x", "x/x", true)]
#[case("2012-10-17", "${*}/x", "y/x", false)]
#[case("2012-10-17", "${*}${?}${$}/x", "*?$/x", true)]
fn variables_are_replaced_in_the_newer_version_only(
    #[case] version: &str,
    #[case] policy: &str,
    #[case] asked: &str,
    #[case] allowed: bool,
) {
    let document = format!(
        r#"{{"Version": "{version}",
            "Statement": {{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::{policy}"}}}}"#
    );
    let ask = Ask::new(user(), "s3:GetObject", &format!("arn:aws:s3:::{asked}")).identity(&document);
    assert_eq!(ask.allowed(), allowed);
}

#[test]
fn a_document_without_version_has_no_variables() {
    let document =
        r#"{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:username}"}}"#;
    assert!(
        !Ask::new(user(), "s3:ListBucket", "arn:aws:s3:::alice")
            .identity(document)
            .allowed()
    );
    assert!(
        Ask::new(user(), "s3:ListBucket", "arn:aws:s3:::${aws:username}")
            .identity(document)
            .allowed()
    );
}

#[test]
fn a_wildcard_in_the_value_of_a_variable_is_plain_text() {
    let document = statement("Allow", "s3:*", "arn:aws:s3:::b/${aws:PrincipalTag/dir}/k");
    let ask = Ask::new(user(), "s3:GetObject", "arn:aws:s3:::b/other/k").identity(&document);
    assert!(!ask.key("aws:PrincipalTag/dir", "*").allowed());
}

#[test]
fn a_key_with_several_values_is_no_variable() {
    let document = statement("Allow", "s3:*", "arn:aws:s3:::b/${aws:TagKeys}");
    let mut ask = Ask::new(user(), "s3:GetObject", "arn:aws:s3:::b/one").identity(&document);
    ask.context.set_many("aws:TagKeys", ["one", "two"]);
    assert!(!ask.allowed());
}

#[rstest]
#[case(session(), false)]
#[case(root("123456789012"), false)]
#[case(user(), true)]
fn only_users_have_a_user_name(#[case] principal: iam_policy::Principal, #[case] denied: bool) {
    let ask = Ask::new(principal, "s3:GetObject", "arn:aws:s3:::alice")
        .identity(&statement("Allow", "s3:*", "*"))
        .identity(&statement("Deny", "s3:*", "arn:aws:s3:::${aws:username}"));
    assert_eq!(ask.allowed(), !denied);
}

#[test]
fn many_stars_take_no_exponential_time() {
    let policy = format!("arn:aws:s3:::{}b", "*a".repeat(400));
    let asked = format!("arn:aws:s3:::{}", "a".repeat(1000));
    assert!(
        !Ask::new(user(), "s3:GetObject", &asked)
            .identity(&statement("Allow", "s3:*", &policy))
            .allowed()
    );
}
