use rstest::rstest;

use super::*;

fn read(args: &[&str]) -> Result<Flags, String> {
    Flags::read(std::iter::once("rolecall-proxy").chain(args.iter().copied())).map_err(|e| e.to_string())
}

#[test]
fn defaults_are_kube2iams_where_those_are_safe() {
    let flags = read(&[]).unwrap();
    assert_eq!(flags.app_port, 8181);
    assert_eq!(flags.host_interface, "docker0");
    assert_eq!(flags.iam_role_session_ttl, Duration::from_secs(900));
    assert!(!flags.namespace_restrictions);
    assert_eq!(flags.intercept(), Intercept::None);
    assert_eq!(flags.passthrough.len(), 3);
    assert_eq!(flags.listen().to_string(), "0.0.0.0:8181");
}

#[rstest]
#[case(&["--iptables=true", "--host-ip=10.0.0.1"], Intercept::Nftables)]
#[case(&["--iptables", "--host-ip=10.0.0.1"], Intercept::Nftables)]
#[case(&["-iptables=true", "-host-ip=10.0.0.1"], Intercept::Nftables)]
#[case(&["--iptables=false"], Intercept::None)]
#[case(&["--intercept=nftables", "--host-ip", "10.0.0.1"], Intercept::Nftables)]
#[case(&["--intercept", "none"], Intercept::None)]
fn kube2iams_spelling_of_the_interception_is_understood(#[case] args: &[&str], #[case] mode: Intercept) {
    assert_eq!(read(args).unwrap().intercept(), mode);
}

#[rstest]
#[case(&["--namespace-restrictions"], true)]
#[case(&["--namespace-restrictions=true"], true)]
#[case(&["-namespace-restrictions=true"], true)]
#[case(&["--namespace-restrictions=false"], false)]
fn a_switch_takes_gos_spelling(#[case] args: &[&str], #[case] on: bool) {
    assert_eq!(read(args).unwrap().namespace_restrictions, on);
}

#[rstest]
#[case(&["--namespace-restriction-format=words"], "glob, regexp")]
#[case(&["--iptables=true"], "needs --host-ip")]
#[case(&["--intercept=nftables", "--host-ip=127.0.0.1"], "not 0.0.0.0 or a loopback")]
#[case(&["--passthrough=iam/info"], "never passed")]
#[case(&["--base-role-arn=arn:aws:iam::1:user/x"], "role")]
#[case(&["--iam-role-session-ttl=0s"], "at least 1s")]
#[case(&["--metadata-addr=imds.example"], "address")]
#[case(&["--default-role=x"], "needs --base-role-arn")]
#[case(&["--default-role=not a role", "--base-role-arn=arn:aws:iam::123456789012:role/"], "neither a role's name")]
#[case(&["--auto-discover-base-arn", "--base-role-arn=arn:aws:iam::123456789012:role/"], "cannot be used with")]
#[case(&["--auto-discover-default-role"], "the node's own role")]
#[case(&["--metrics-port=8181"], "must not be the port for pods")]
#[case(&["--metrics-port=9090", "--app-port=9090"], "must not be the port for pods")]
#[case(&["--metrics-port=9090", "--admin-addr=127.0.0.1:9091"], "cannot be used with")]
#[case(&["--iam-role-error-ttl=5s"], "--iam-role-error-ttl")]
#[case(&["--test-clock"], "test-clock-token")]
#[case(&["--vault-addr=vault:8200"], "https://vault.example:8200")]
#[case(&["--vault-mount=../sys"], "a mount's path")]
#[case(&["--vault-ca-cert=ca.pem"], "--vault-addr")]
#[case(&["credential-process", "--vault-addr=http://v"], "--vault-role")]
#[case(&["credential-process", "--vault-addr=http://v", "--vault-role=../x"], "name of a Vault role")]
fn what_cannot_be_served_is_refused_at_start(#[case] args: &[&str], #[case] reason: &str) {
    let error = read(args).unwrap_err();
    assert!(error.contains(reason), "{error}");
}

#[test]
fn uninstall_is_a_command() {
    let command = read(&["uninstall"]).unwrap().command;
    assert!(matches!(command, Some(Command::Uninstall)));
}

#[rstest]
#[case(&[], "127.0.0.1:8182")]
#[case(&["--metrics-port=9090"], "127.0.0.1:9090")]
#[case(&["--admin-addr=10.0.0.1:9090"], "10.0.0.1:9090")]
fn metrics_stay_on_loopback_unless_an_address_is_given(#[case] args: &[&str], #[case] at: &str) {
    assert_eq!(read(args).unwrap().admin().to_string(), at);
}

#[rstest]
#[case(&["--default-role=arn:aws:iam::123456789012:role/x"], false)]
#[case(&["--default-role=x", "--auto-discover-base-arn=true"], true)]
#[case(&["--auto-discover-base-arn=false", "--base-role-arn=arn:aws:iam::123456789012:role/"], false)]
#[case(&["--auto-discover-default-role=false"], false)]
fn what_is_not_asked_for_is_in_nobodys_way(#[case] args: &[&str], #[case] discovers: bool) {
    assert_eq!(read(args).unwrap().auto_discover_base_arn, discovers);
}

#[test]
fn kube2iams_flags_that_do_nothing_here_are_taken_and_told() {
    let flags = read(&[
        "--insecure",
        "--backoff-max-interval=1s",
        "--backoff-max-elapsed-time",
        "2s",
        "-cache-resync-period=30m0s",
        "--resolve-duplicate-cache-ips=true",
        "--use-regional-sts-endpoint",
        "--metrics-port=9090",
    ]);
    let notes = flags.unwrap().notes();
    assert_eq!(notes.len(), 7, "{notes:?}");
    assert!(
        notes[4].contains("--resolve-duplicate-cache-ips has no effect"),
        "{notes:?}"
    );
    let nothing = read(&["--insecure=false", "--resolve-duplicate-cache-ips=false"]).unwrap();
    assert!(nothing.notes().is_empty());
}

#[rstest]
#[case("--version")]
#[case("-version")]
fn the_version_is_told(#[case] flag: &str) {
    assert!(read(&[flag]).unwrap_err().contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn vault_is_asked_only_if_its_address_is_given() {
    assert!(read(&[]).unwrap().vault.settings().is_none());
    let settings = read(&["--vault-addr=https://v:8200/"])
        .unwrap()
        .vault
        .settings()
        .unwrap();
    assert_eq!(settings.address.to_string(), "https://v:8200");
    assert_eq!(settings.auth_mount.to_string(), "kubernetes");
    assert_eq!(settings.mount.to_string(), "aws");
    assert_eq!(settings.auth_role("readonly"), "readonly");
    assert_eq!(settings.audience, "vault");
    assert_eq!(settings.timeout, Duration::from_secs(10));
}

#[test]
fn the_help_says_how_mighty_the_permission_for_vault_is() {
    let help = read(&["--help"]).unwrap_err();
    let words: Vec<&str> = help.split_whitespace().collect();
    let help = words.join(" ");
    assert!(
        help.contains("serviceaccounts/token") && help.contains("act as any service account"),
        "{help}"
    );
}
