//! What stands below the flags in each `--help`.

pub(super) const ALL: &str = "\
Examples:
  rolecall                                       run the whole suite
  rolecall run kube2iam/                         run every scenario of a chapter
  rolecall run kube2iam/no-permission            run one
  rolecall run my-case.yaml                      run a file of your own
  rolecall run --report json=report.json         write a report as well
  rolecall run --proxy-binary ./kube2iam         put another proxy to the test
  rolecall list                                  what there is
  rolecall lint my-case.yaml                     check files without running them
  rolecall explain kube2iam/no-permission        what a scenario does, in words
  rolecall why                                   what a failed run's AWS has refused, and why
  rolecall serve aws --help                      an AWS that enforces IAM, as a tool of its own
  rolecall doctor                                whether this machine can run scenarios
  rolecall proxy --help                          the bundled proxy's own flags

Exit codes of run and lint:
  0 all as expected   1 an expectation failed   2 usage   3 a scenario file is invalid
  4 nothing ran   5 the world could not start   6 rolecall itself failed   130 interrupted";

pub(super) const RUN: &str = "\
Examples:
  rolecall run
  rolecall run kops/ kube2iam/no-permission
  rolecall run --tag seed -v
  rolecall run --jobs 1 --report json=target/report.json
  rolecall run --report junit=target/junit.xml --report json=target/report.json
  rolecall run kube2iam/no-permission --repeat 20
  rolecall run kube2iam/no-permission --keep
  rolecall run --proxy-binary ./kube2iam -- --log-level=debug
  rolecall run --world kind
  rolecall run kube2iam/no-permission --world kind --cluster rolecall-mine

Of each scenario that failed, the proxy's log, all requests and all decisions are kept in
target/rolecall/<run>/<scenario>/; the text of the failure names them.";

pub(super) const LIST: &str = "\
Examples:
  rolecall list
  rolecall list kube2iam/ --tag seed
  rolecall list --json | jq -r '.[].id'";

pub(super) const LINT: &str = "\
Examples:
  rolecall lint
  rolecall lint my-case.yaml
  rolecall lint scenarios/kube2iam --deny-warnings";

pub(super) const EXPLAIN: &str = "\
Examples:
  rolecall explain kube2iam/no-permission
  rolecall explain my-case.yaml
  rolecall explain --tag seed | less";

pub(super) const SCHEMA: &str = "\
Examples:
  rolecall schema > scenarios/schema.json
  # then, as the first line of a scenario, for editors with the YAML language server:
  # yaml-language-server: $schema=../schema.json";

pub(super) const DOCTOR: &str = "\
Examples:
  rolecall doctor
  rolecall doctor --world kind
  rolecall doctor --json | jq '.[] | select(.ok == false)'

Ends with 0 if scenarios can run here, with 5 if not.";

pub(super) const COMPARE: &str = "\
Examples:
  rolecall compare yesterday.json today.json
  rolecall compare embedded.json kind.json --side-by-side --markdown verdicts.md

Ends with 0 if nothing became worse, with 1 if something did: a scenario that passed and does no more (skipped
included), or a new one that does not pass; with 2 if a file is no JSON report. With --side-by-side it ends with 1 if a
scenario ended in two ways, unless one world passed it and the other says why it cannot run it.";

pub(super) const WHY: &str = "\
Examples:
  rolecall why                                   what the newest failed run has refused
  rolecall why 0a1b2c3d                          one decision, with each policy that was consulted
  rolecall why --json | jq '.[].decision.near_misses'
  ROLECALL_CONTROL_TOKEN=… rolecall why 0a1b2c3d --control http://127.0.0.1:4567

Decisions of failed scenarios are in target/rolecall/<run>/<scenario>/decisions.json. Ends with 4 if no such
decision is known.";

pub(super) const SWEEP: &str = "\
Examples:
  rolecall sweep --dry-run
  rolecall sweep
  rolecall sweep reports/ --output /tmp/rolecall
  rolecall sweep --run 20260102T030405Z-0a2f     one run's, on a machine that others use too

Networks, processes and mounts of a killed run are gone with it. What can be left are files: the folder of
a run that did not end, and reports half written; and with --world kind, containers and clusters, those of
--keep too. Files of runs that ended, what belongs to runs that still go on, and what carries no run's
label are not touched.";

pub(super) const COMPLETIONS: &str = "\
Examples:
  rolecall completions bash > ~/.local/share/bash-completion/completions/rolecall
  rolecall completions zsh  > ~/.zfunc/_rolecall
  rolecall completions fish > ~/.config/fish/completions/rolecall.fish";
