//! The whole text of failed runs, as a person reads it. What differs from run to run is replaced by words.

mod suite;

use suite::{Ended, TemporarySuite};

/// What a run of this one scenario says.
fn text_of(scenario: &str) -> String {
    let suite = TemporarySuite::new(&[("scenarios/wrong/case.yaml", scenario)]);
    let ended = Ended::of(suite.rolecall(&["run"]).output());
    assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""), "{ended:#?}");
    steady(&ended.out)
}

/// The text with words in the place of what differs from run to run.
fn steady(text: &str) -> String {
    let mut steady = String::new();
    let mut word = String::new();
    for character in text.chars().chain(std::iter::once('\n')) {
        if character.is_ascii_alphanumeric() || matches!(character, '…' | '-' | '.') {
            word.push(character);
        } else {
            steady.push_str(&steady_word(&word));
            word.clear();
            steady.push(character);
        }
    }
    // A busy machine may leave the first asking without an answer, which is forgiven.
    let shown = steady.lines().map(|line| match line.rsplit_once(", asked ") {
        Some((before, times)) if times == "once" || times.ends_with(" times") => format!("{before}, asked N times"),
        _ => line.to_owned(),
    });
    let shown: Vec<_> = shown.collect();
    shown.join("\n").trim_end().to_owned()
}

fn steady_word(word: &str) -> String {
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let hex = |text: &str, length: usize| text.len() == length && text.chars().all(|c| c.is_ascii_hexdigit());
    if let Some((whole, part)) = word.strip_suffix('s').and_then(|seconds| seconds.split_once('.'))
        && digits(whole)
        && digits(part)
    {
        return "N.Ns".to_owned();
    }
    if digits(word) && word.len() == 12 {
        return "ACCOUNT".to_owned();
    }
    if let Some(tail) = word.strip_prefix("ASIA…")
        && tail.len() == 2
    {
        return "ASIA…ID".to_owned();
    }
    if word.strip_prefix("i-").is_some_and(|id| hex(id, 17)) {
        return "i-ID".to_owned();
    }
    // When it started, and a few random digits.
    if let Some((at, random)) = word.split_once("Z-")
        && at.len() == 15
        && hex(random, 4)
    {
        return "RUN".to_owned();
    }
    match word.split_once('-') {
        Some((session, role)) if hex(session, 8) => format!("SESSION-{role}"),
        _ => word.to_owned(),
    }
}

#[test]
fn a_denial_that_was_an_allowance() {
    let text = text_of(
        "\
name: A role without permissions is denied
why: It has none.
given:
  roles: { MyPodRole: { policies: [AmazonS3ReadOnlyAccess] } }
  buckets: { reports: {} }
  pods:  { aws-cli: { role: MyPodRole } }
steps:
  - name: the pod is handed MyPodRole
    as: aws-cli
    credentials: {}
    expect: { role: MyPodRole }

  - name: and S3 denies it
    as: aws-cli
    call: s3:ListBuckets
    expect: { denied: AccessDenied, caller: MyPodRole }
",
    );
    insta::assert_snapshot!(text, @r"
    FAIL  wrong/case  step 2: and S3 denies it                                 N.Ns
      --> scenarios/wrong/case.yaml:16:15
       |
    15 |     call: s3:ListBuckets
    16 |     expect: { denied: AccessDenied, caller: MyPodRole }
       |               ^^^^^^^^^^^^^^^^^^^^ S3 allowed it: 200, it lists [reports]
       |
       = signed by ASIA…ID: role MyPodRole, session SESSION-MyPodRole, issued N.Ns before
       = allowed by: statement 1 of managed policy AmazonS3ReadOnlyAccess v3 (s3:Get*, s3:List*, s3:Describe* and 2 more on *), attached N.Ns before
       = held for 0s of 300ms, asked N times
       = more: target/rolecall/RUN/wrong/case/ (proxy.log, http.txt, decisions.txt, events.txt)
       = again: rolecall run wrong/case --keep

    0 passed, 1 failed in N.Ns (embedded world, rolecall-proxy)
    ");
}

#[test]
fn a_refusal_that_was_keys() {
    let text = text_of(
        "\
name: The pod is refused
why: Nobody has allowed it anything.
profile: namespace

given:
  roles: { MyPodRole: {} }
  pods:  { aws-cli: { role: MyPodRole } }
steps:
  - as: aws-cli
    credentials: {}
    expect: refused
",
    );
    insta::assert_snapshot!(text, @r"
    FAIL  wrong/case  step 1: aws-cli: credentials: {}                         N.Ns
      --> scenarios/wrong/case.yaml:11:13
       |
    10 |     credentials: {}
    11 |     expect: refused
       |             ^^^^^^^ the keys of role MyPodRole
       |
       = the keys ASIA…ID are those of arn:aws:sts::ACCOUNT:assumed-role/MyPodRole/SESSION-MyPodRole
       = given out by sts:AssumeRole, asked by arn:aws:sts::ACCOUNT:assumed-role/nodes.example.cluster.k8s.local/i-ID
       = allowed by: statement 2 of trust policy of MyPodRole (sts:AssumeRole by arn:aws:iam::ACCOUNT:role/nodes.example.cluster.k8s.local), attached N.Ns before
       = held for 0s of 300ms, asked N times
       = more: target/rolecall/RUN/wrong/case/ (proxy.log, http.txt, decisions.txt, events.txt)
       = again: rolecall run wrong/case --keep

    0 passed, 1 failed in N.Ns (embedded world, rolecall-proxy)
    ");
}

#[test]
fn a_never_that_happened() {
    let text = text_of(
        "\
name: Nobody asks AWS for the role
why: The pod has it already.
given:
  roles: { MyPodRole: {} }
  pods:  { aws-cli: { role: MyPodRole } }
steps:
  - as: aws-cli
    credentials: {}
    expect: { role: MyPodRole }
  - journal: sts:AssumeRole
    where: { role: MyPodRole }
    expect: never
",
    );
    insta::assert_snapshot!(text, @r"
    FAIL  wrong/case  step 2: journal: sts:AssumeRole                          N.Ns
      --> scenarios/wrong/case.yaml:12:13
       |
    11 |     where: { role: MyPodRole }
    12 |     expect: never
       |             ^^^^^ 1 was recorded: sts:AssumeRole from node-1 for role MyPodRole by role nodes.example.cluster.k8s.local, answered ok
       |
       = allowed by: statement 2 of trust policy of MyPodRole (sts:AssumeRole by arn:aws:iam::ACCOUNT:role/nodes.example.cluster.k8s.local), attached N.Ns before
       = held for 0s of 300ms, asked N times
       = more: target/rolecall/RUN/wrong/case/ (proxy.log, http.txt, decisions.txt, events.txt)
       = again: rolecall run wrong/case --keep

    0 passed, 1 failed in N.Ns (embedded world, rolecall-proxy)
    ");
}

#[test]
fn a_role_that_was_the_nodes() {
    let text = text_of(
        "\
name: The pod is handed its own role
why: Without interception it would be the node's.

proxy: { intercept: none }
given:
  roles: { MyPodRole: {} }
  pods:  { aws-cli: { role: MyPodRole } }
steps:
  - as: aws-cli
    credentials: {}
    expect: { role: MyPodRole }
",
    );
    insta::assert_snapshot!(text, @r"
    FAIL  wrong/case  step 1: aws-cli: credentials: {}                         N.Ns
      --> scenarios/wrong/case.yaml:11:15
       |
    10 |     credentials: {}
    11 |     expect: { role: MyPodRole }
       |               ^^^^^^^^^^^^^^^ the keys of role nodes.example.cluster.k8s.local
       |
       = the keys ASIA…ID are those of arn:aws:sts::ACCOUNT:assumed-role/nodes.example.cluster.k8s.local/i-ID
       = given out by the instance's own metadata service, by no sts:AssumeRole
       = no waiting mends this, asked N times
       = more: target/rolecall/RUN/wrong/case/ (proxy.log, http.txt, decisions.txt, events.txt)
       = again: rolecall run wrong/case --keep

    0 passed, 1 failed in N.Ns (embedded world, rolecall-proxy)
    ");
}
