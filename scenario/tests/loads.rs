//! Scenarios that are right, and what becomes of them.

mod vocabulary;

use std::{path::Path, time::Duration};

use rolecall_scenario::{
    Source, Vocabulary, caret, load,
    model::{Action, Actor, Document, Expectation, Fault, FaultKind, Scenario, Target, TokenUse, Trust, VaultUse},
};
use rstest::rstest;
use vocabulary::vocabulary;

fn scenario(text: &str) -> Scenario {
    match load(Source::new("test.yaml", text), "test".to_owned(), &vocabulary()) {
        Ok(scenario) => scenario,
        Err(errors) => panic!("{errors}"),
    }
}

fn file(path: &str) -> Scenario {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let source = Source::new(path.trim_start_matches("../"), text);
    let id = path
        .trim_start_matches("../scenarios/")
        .trim_end_matches(".yaml")
        .to_owned();
    load(source, id, &vocabulary()).unwrap_or_else(|errors| panic!("{errors}"))
}

#[rstest]
fn every_scenario_of_the_suite_and_of_the_contract_loads(
    #[files("tests/contract/*.yaml")]
    #[files("../scenarios/*/*.yaml")]
    path: std::path::PathBuf,
) {
    let text = std::fs::read_to_string(&path).unwrap();
    // Which operations the front has is for those to check who have the front.
    let vocabulary = Vocabulary {
        operations: &|_| None,
        ..vocabulary()
    };
    let scenario =
        load(Source::new(&path, text), "x".to_owned(), &vocabulary).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(!scenario.name.is_empty() && !scenario.steps.is_empty());
}

#[rstest]
#[case("tests/contract/kube2iam-no-permission.yaml", &[])]
#[case("tests/contract/kube2iam-attach-s3-read.yaml", &[])]
#[case("tests/contract/kube2iam-namespace-restriction.yaml", &[])]
#[case("tests/contract/kops-additional-policies-node.yaml", &[])]
#[case("tests/contract/kops-node-without-assume-role.yaml", &[])]
#[case("tests/contract/kube2iam-cache-fifteen-minutes.yaml", &[])]
#[case("tests/contract/vault-switch-role.yaml", &[])]
#[case("tests/contract/vault-pod-that-never-asks.yaml", &[])]
fn what_is_not_built_yet_is_pending_with_its_reason(#[case] path: &str, #[case] words: &[&str]) {
    let pending = file(path).pending;
    assert_eq!(
        pending.iter().map(|pending| pending.word.as_str()).collect::<Vec<_>>(),
        words
    );
    assert!(
        pending
            .iter()
            .all(|pending| !pending.reason.is_empty() && pending.span.start > 0)
    );
}

#[test]
fn a_failure_is_shown_as_the_format_page_shows_it() {
    let scenario = file("../scenarios/kube2iam/no-permission.yaml");
    let expect = scenario.steps[1].expect.as_ref().unwrap();
    assert_eq!(expect.all[0].value, Expectation::Denied("AccessDenied".to_owned()));
    let shown = caret(&scenario.source, &expect.all[0].span, "S3 allowed it: 200, buckets []");
    let page = "  --> scenarios/kube2iam/no-permission.yaml:19:15
   |
18 |     call: s3:ListBuckets
19 |     expect: { denied: AccessDenied, caller: MyPodRole }
   |               ^^^^^^^^^^^^^^^^^^^^ S3 allowed it: 200, buckets []";
    assert_eq!(shown, page);
    let notes = [
        "signed by ASIA…7Q".to_owned(),
        "held for 0s of 300ms, asked once".to_owned(),
    ];
    let label = "S3 allowed it: 200, buckets []";
    let noted = rolecall_scenario::excerpt(&scenario.source, &expect.all[0].span, label, &notes, false);
    assert_eq!(
        noted,
        format!("{page}\n   |\n   = signed by ASIA…7Q\n   = held for 0s of 300ms, asked once")
    );
}

#[test]
fn the_chapters_first_scenario_becomes_typed_steps() {
    let scenario = file("../scenarios/kube2iam/attach-s3-read.yaml");
    assert_eq!(scenario.id, "kube2iam/attach-s3-read");
    assert_eq!(scenario.profile.as_deref(), Some("pod-role"));
    assert_eq!(scenario.given.buckets["reports"].objects["q1.csv"], "revenue,42");
    assert_eq!(scenario.steps.len(), 7);
    let first = &scenario.steps[0];
    assert_eq!(first.actor.as_ref().unwrap().value, Actor::Pod("aws-cli".to_owned()));
    assert_eq!(first.save.as_ref().unwrap().value, "before");
    let Action::Apply(given, _) = &scenario.steps[2].action.value else {
        panic!("no apply")
    };
    assert_eq!(
        given.roles["MyPodRole"].policies.as_ref().unwrap()[0].value,
        "AmazonS3ReadOnlyAccess"
    );
    assert!(given.roles["MyPodRole"].trust.is_none());
    let Action::Recreate { pods, grace } = &scenario.steps[3].action.value else {
        panic!("no recreate")
    };
    assert_eq!((pods[0].value.as_str(), *grace), ("aws-cli", Duration::ZERO));
    assert_eq!(scenario.steps[5].using.as_ref().unwrap().value, "before");
    assert_eq!(
        scenario.steps[5].expect.as_ref().unwrap().all[0].value,
        Expectation::Lists(vec!["reports".to_owned()])
    );
}

#[test]
fn additional_policies_are_json_text_or_a_list() {
    let scenario = file("../scenarios/kops/additional-policies-node.yaml");
    let statements = &scenario.given.cluster.node_policies.as_ref().unwrap().value.0;
    assert_eq!(statements[0]["Action"], serde_json::json!(["es:*", "sts:AssumeRole"]));
    assert!(scenario.given.cluster.master_policies.is_none());
    let empty = file("tests/contract/kops-node-without-assume-role.yaml");
    assert!(empty.given.cluster.node_policies.as_ref().unwrap().value.0.is_empty());
}

const HEAD: &str = "name: n\ngiven:\n  roles: { R: {}, a/b/S: {} }\n  pods: { app: { role: R } }\n";

#[test]
fn null_in_apply_restores_a_default_and_an_unnamed_key_stays() {
    let steps = "steps:
  - apply: { roles: { R: { boundary: null, policies: [] }, a/b/S: null }, cluster: { additionalPolicies: { node: null } }, proxy: { cache_ttl: null } }
  - { as: app, credentials: {}, expect: { role: a/b/S } }\n";
    let scenario = scenario(&format!("{HEAD}{steps}"));
    let Action::Apply(given, proxy) = &scenario.steps[0].action.value else {
        panic!("no apply")
    };
    let role = &given.roles["R"].value;
    assert_eq!(role.restored.iter().copied().collect::<Vec<_>>(), ["boundary"]);
    assert!(role.policies.as_ref().is_some_and(Vec::is_empty) && role.trust.is_none());
    assert!(given.roles["a/b/S"].restored.contains("trust"));
    assert_eq!(given.cluster.restored.iter().copied().collect::<Vec<_>>(), ["node"]);
    assert!(given.cluster.imds.restored.is_empty());
    assert!(proxy.restored.contains("cache_ttl") && proxy.cache_ttl.is_none());
}

#[test]
fn null_in_given_is_the_default() {
    let scenario = scenario(
        "name: n\ngiven:\n  roles: { R: , S: { policies: null } }\n  pods: { app: { role: R } }\nsteps:\n  - { as: app, exec: 'true', expect: { exit: 0 } }\n",
    );
    assert!(scenario.given.roles.values().all(|role| role.restored.is_empty()));
    assert_eq!(scenario.needs.iter().collect::<Vec<_>>(), ["exec:true"]);
}

#[test]
fn raw_requests_keep_their_bytes_and_their_tokens() {
    let steps = r#"steps:
  - { as: app, imds: PUT /latest/api/token, headers: { X-aws-ec2-metadata-token-ttl-seconds: 60, X-Forwarded-For: "of:app" }, save: t }
  - as: app
    imds: [GET //latest/./meta-data/%69am;x, "GET /a{b},c #d"]
    token: t
    to: proxy
    expect: { status: [403, 4xx], no_node_credentials: true, json: { Code: Success } }
"#;
    let scenario = scenario(&format!("{HEAD}{steps}"));
    let Action::Imds(put) = &scenario.steps[0].action.value else {
        panic!("no imds")
    };
    assert_eq!(
        put[0].headers[0],
        ("X-aws-ec2-metadata-token-ttl-seconds".to_owned(), "60".to_owned())
    );
    assert_eq!((&put[0].token, put[0].to), (&TokenUse::None, Target::Metadata));
    let Action::Imds(gets) = &scenario.steps[1].action.value else {
        panic!("no imds")
    };
    assert_eq!(gets[0].target, "//latest/./meta-data/%69am;x");
    assert_eq!(gets[1].target, "/a{b},c #d");
    assert_eq!(
        (&gets[1].token, gets[1].to),
        (&TokenUse::Saved("t".to_owned()), Target::Proxy)
    );
    let expect = scenario.steps[1].expect.as_ref().unwrap();
    assert_eq!(
        expect.all[0].value,
        Expectation::Status(vec!["403".to_owned(), "4xx".to_owned()])
    );
}

#[test]
fn trusts_of_every_form_are_read() {
    let scenario = scenario(
        r#"name: n
given:
  roles:
    A: { trust: ec2 }
    B: { trust: { node: { external_id: X } } }
    C: { trust: role:A }
    D: { trust: trust/pod-role.json }
    E: { trust: { Version: 2012-10-17, Statement: { Effect: Allow, Principal: { AWS: "arn:aws:iam::self:role/A" }, Action: sts:AssumeRole } } }
    F: { trust: none, max_session: 1h }
    G: { trust: service_account:team-b/app }
    H: { trust: service_account:app }
  namespaces: { team-b: {} }
  pods: { app: { role: "arn:aws:iam::self:role/A" } }
steps:
  - { as: node-1, call: sts:GetCallerIdentity, expect: { caller: nodes.example.cluster.k8s.local } }
"#,
    );
    let trust = |role: &str| scenario.given.roles[role].trust.as_ref().unwrap().value.clone();
    assert_eq!(trust("A"), Trust::Ec2);
    assert_eq!(
        trust("B"),
        Trust::Node {
            external_id: Some("X".to_owned())
        }
    );
    assert_eq!(trust("C"), Trust::Role("A".to_owned()));
    assert!(matches!(trust("D"), Trust::Document(Document::File(file)) if file == "trust/pod-role.json"));
    assert!(matches!(trust("E"), Trust::Document(Document::Inline(value)) if value["Version"] == "2012-10-17"));
    assert_eq!(trust("F"), Trust::None);
    let account = |namespace: &str| Trust::ServiceAccount {
        namespace: namespace.to_owned(),
        name: "app".to_owned(),
    };
    assert_eq!([trust("G"), trust("H")], [account("team-b"), account("default")]);
    assert!(scenario.needs.contains("web_identity"));
    assert_eq!(scenario.given.roles["F"].max_session, Some(Duration::from_secs(3600)));
    assert_eq!(
        scenario.steps[0].actor.as_ref().unwrap().value,
        Actor::Node("node-1".to_owned())
    );
}

#[test]
fn since_is_the_index_of_the_earlier_step() {
    let steps = "steps:
  - { name: first, as: app, credentials: {}, expect: { role: R } }
  - { name: second, as: app, credentials: { token: none, ask_for: R }, expect: refused, within: 2s, throughout: 0s }
  - { journal: sts:AssumeRole, since: second, where: { role: R, from: pods, answer: ok }, expect: never }
  - { restart: { proxy: node-1 } }
  - { log: proxy, expect: { contains: [a, b] } }\n";
    let scenario = scenario(&format!("{HEAD}{steps}"));
    let Action::Journal(journal) = &scenario.steps[2].action.value else {
        panic!("no journal")
    };
    assert_eq!((journal.since, journal.filter.from.as_deref()), (Some(1), Some("pods")));
    let Action::Credentials(walk) = &scenario.steps[1].action.value else {
        panic!("no credentials")
    };
    assert_eq!((walk.ask_for.as_deref(), &walk.token), (Some("R"), &TokenUse::None));
    assert_eq!(scenario.steps[1].within.as_ref().unwrap().value, Duration::from_secs(2));
}

#[test]
fn no_is_text_where_text_is_due() {
    let scenario = scenario(
        "name: no\ntags: [yes, on]\ngiven: { pods: { app: { external_id: no } } }\nsteps: [{ as: app, credentials: {}, expect: refused }]\n",
    );
    assert_eq!(scenario.name.value, "no");
    assert_eq!(scenario.tags, ["yes", "on"]);
    assert_eq!(scenario.given.pods["app"].external_id.as_deref(), Some("no"));
}

#[test]
fn a_value_repeated_by_an_alias_is_read_twice() {
    let scenario = scenario(
        "name: n\ngiven: { roles: { R: {} }, pods: { a: &p { role: R }, b: *p } }\nsteps: [{ as: b, credentials: {}, expect: &e { role: R } }, { as: a, credentials: {}, expect: *e }]\n",
    );
    assert_eq!(scenario.given.pods["b"].role.as_ref().unwrap().value, "R");
    assert_eq!(scenario.steps[1].expect.as_ref().unwrap().all.len(), 1);
}

#[test]
fn accounts_users_and_manifests_are_read() {
    let scenario = scenario(
        r#"name: n
given:
  accounts: [partner]
  cluster: { base: kops }
  users:
    root: { policies: [IAMFullAccess], inline: { file: policies/list.json }, access_key: root-key }
    other: {}
  roles: { R: { account: partner, trust: user:root } }
  buckets: { b: { a: x, policy: { Statement: { Effect: Deny, Principal: { AWS: "arn:aws:iam::partner:root" }, Action: "s3:*", Resource: "arn:aws:s3:::b" } } } }
  manifests: [a.yaml, { file: b.yaml }, { file: c.yaml, set: { N: 7 } }]
steps:
  - { using: root-key, call: s3:ListBuckets, expect: { caller: root } }
  - { as: made-by-a, credentials: {}, expect: { role: "arn:aws:iam::partner:role/R" } }
  - apply: { users: { root: { policies: null }, other: null }, cluster: { base: null } }
"#,
    );
    let given = &scenario.given;
    assert_eq!(given.accounts[0].value, "partner");
    assert_eq!(given.cluster.base.as_deref(), Some("kops"));
    assert_eq!(given.roles["R"].account.as_ref().unwrap().value, "partner");
    let root = &given.users["root"].value;
    assert_eq!(root.policies.as_ref().unwrap()[0].value, "IAMFullAccess");
    assert_eq!(
        root.inline.as_ref().unwrap()["file"].value,
        Document::File("policies/list.json".to_owned())
    );
    assert_eq!(root.access_key.as_ref().unwrap().value, "root-key");
    assert!(given.users["other"].access_key.is_none());
    let bucket = &given.buckets["b"].value;
    assert!(bucket.objects.len() == 1 && matches!(bucket.policy.as_ref().unwrap().value, Document::Inline(_)));
    let sets: Vec<_> = given
        .manifests
        .iter()
        .map(|manifest| (manifest.file.as_str(), manifest.set.clone()))
        .collect();
    let set = [("N".to_owned(), "7".to_owned())].into();
    assert_eq!(sets, [("a.yaml", None), ("b.yaml", None), ("c.yaml", Some(set))]);
    let Action::Apply(change, _) = &scenario.steps[2].action.value else {
        panic!("no apply")
    };
    assert_eq!(
        change.users["root"].restored.iter().copied().collect::<Vec<_>>(),
        ["policies"]
    );
    assert!(change.users["other"].restored.contains("access_key"));
    assert!(change.cluster.restored.contains("base") && change.cluster.base.is_none());
}

#[test]
fn a_pod_may_be_given_addresses_a_phase_and_an_image() {
    let scenario = scenario(
        "name: n
given:
  pods:
    app: { ips: [10.0.0.7, 'fd00::7'], phase: Succeeded, hidden: true, image: aws }
    twin: { ip: of:app }
steps:
  - { as: twin, credentials: {}, expect: refused }
",
    );
    let app = &scenario.given.pods["app"].value;
    assert_eq!(
        app.ips.as_deref(),
        Some(&["10.0.0.7".to_owned(), "fd00::7".to_owned()][..])
    );
    assert_eq!(
        (app.phase.as_deref(), app.hidden, app.image.as_deref()),
        (Some("Succeeded"), Some(true), Some("aws"))
    );
    let twin = &scenario.given.pods["twin"].value;
    assert_eq!(twin.ip_of.as_ref().unwrap().value, "app");
    assert!(twin.ips.is_none() && twin.phase.is_none() && twin.hidden.is_none());
    assert_eq!(scenario.needs.iter().collect::<Vec<_>>(), ["addresses"]);
}

#[test]
fn time_moves_faults_come_and_go_and_many_ask_at_once() {
    let steps = "steps:
  - advance: 14m
  - inject: { sts: { delay: 2s }, kubernetes: { drop_watch: true, gone: false, error: 503, times: 3 } }
  - { as: app, credentials: {}, at_once: 1000, expect: { role: R } }
  - heal: [sts, kubernetes]
  - { metrics: { proxy: node-1 }, expect: { contains: up } }
  - { journal: kubernetes:*, expect: never }\n";
    let scenario = scenario(&format!("{HEAD}{steps}"));
    assert!(scenario.pending.is_empty());
    let actions: Vec<&Action> = scenario.steps.iter().map(|step| &step.action.value).collect();
    let faults = [
        Fault {
            service: "sts".to_owned(),
            kinds: vec![FaultKind::Delay(Duration::from_secs(2))],
            times: None,
        },
        Fault {
            service: "kubernetes".to_owned(),
            kinds: vec![FaultKind::DropWatch, FaultKind::Error("503".to_owned())],
            times: Some(3),
        },
    ];
    assert!(matches!(actions[0], Action::Advance(by) if *by == Duration::from_secs(14 * 60)));
    assert!(matches!(actions[1], Action::Inject(injected) if *injected == faults));
    assert_eq!(scenario.steps[2].at_once.as_ref().unwrap().value, 1000);
    assert!(matches!(actions[3], Action::Heal(services) if *services == ["sts", "kubernetes"]));
    assert!(matches!(actions[4], Action::Metrics { node: Some(node) } if node.value == "node-1"));
    assert_eq!(scenario.needs.iter().collect::<Vec<_>>(), ["clock", "faults"]);
}

#[rstest]
#[case("\"[]\"")]
#[case("[]")]
#[case("|\n        []\n")]
fn no_statements_are_a_list_of_none_in_either_form(#[case] list: &str) {
    let text = format!(
        "name: n\ngiven:\n  cluster:\n    additionalPolicies:\n      node: {list}\nsteps: [{{ as: node-1, credentials: {{}}, expect: {{ role: node }} }}]\n"
    );
    assert!(scenario(&text).given.cluster.node_policies.unwrap().value.0.is_empty());
}

#[test]
fn an_expectation_knows_its_word() {
    let scenario = file("tests/contract/every-word.yaml");
    let words = scenario
        .steps
        .iter()
        .filter_map(|step| step.expect.as_ref())
        .flat_map(|expect| &expect.all);
    let mut known = std::collections::BTreeSet::new();
    for word in words {
        let written = &scenario.source.text()[word.span.range()];
        let name = written.split(':').next().unwrap();
        assert_eq!(word.word(), name);
        known.insert(name);
    }
    assert_eq!(known.len(), 29, "{known:?}");
}

#[test]
fn every_word_of_the_language_is_read_and_what_is_not_built_is_pending() {
    let scenario = file("tests/contract/every-word.yaml");
    let mut pending: Vec<&str> = scenario.pending.iter().map(|pending| pending.word.as_str()).collect();
    pending.sort_unstable();
    pending.dedup();
    let expected = [
        "intercept: iptables",
        "listen",
        "over: ipv6",
        "unknown-service:Operation",
    ];
    assert_eq!(pending, expected);
    let needs = [
        "addresses",
        "clock",
        "exec:aws",
        "faults",
        "ipv6",
        "vault",
        "web_identity",
    ];
    assert_eq!(scenario.needs.iter().collect::<Vec<_>>(), needs);
}

#[test]
fn what_is_given_of_vault_is_kept_in_vaults_own_words() {
    let scenario = file("tests/contract/every-word.yaml");
    let vault = scenario.given.vault.unwrap().value;
    assert_eq!(vault.policies["kube-auth"].value, "vault/kube-auth.hcl");
    assert_eq!(vault.root.unwrap().value, "vault-root");
    assert_eq!(vault.lease, Some(Duration::from_secs(60)));
    assert_eq!(vault.lease_max, Some(Duration::from_secs(60)));
    assert_eq!(
        vault.roles["readonly"].value,
        serde_json::json!({ "arn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" })
    );
    let auth = vault.auth_roles.unwrap();
    assert_eq!(auth["demo"].value["token_ttl"], "60s");
    assert_eq!(scenario.given.propagation, Some(Duration::from_secs(2)));
    let pods = &scenario.given.pods;
    assert_eq!(pods["vaulted"].vault_role.as_ref().unwrap().value, "readonly");
    assert_eq!(pods["agent"].vault_agent.as_ref().unwrap().value, "readonly");
    let demo = VaultUse::On {
        auth_role: Some("demo".to_owned()),
    };
    assert_eq!(scenario.proxy.vault.unwrap().value, demo);
    let walk = &scenario.steps[1].action.value;
    assert!(matches!(walk, Action::Credentials(walk) if walk.from_agent));
}

#[test]
fn an_apply_names_the_vault_roles_that_it_replaces() {
    let steps = "steps:
  - { as: app, credentials: {}, expect: { role: R } }
  - apply: { vault: { aws: { roles: { a: { credential_type: assumed_role } } } } }\n";
    let scenario = scenario(&format!("{HEAD}{steps}"));
    let Action::Apply(given, _) = &scenario.steps[1].action.value else {
        panic!("no apply")
    };
    let vault = &given.vault.as_ref().unwrap().value;
    assert!(vault.auth_roles.is_none() && vault.restored.is_empty());
    assert_eq!(vault.roles["a"].value["credential_type"], "assumed_role");
}
