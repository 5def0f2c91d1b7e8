//! Scenarios that end in each way.

/// All of it holds.
pub(crate) const HOLDS: &str = "\
name: The pod is handed its role
why: Every test of a passing run needs one.
profile: pod-role
tags: [small]
given:
  roles: { MyPodRole: {} }
  pods:  { aws-cli: { role: MyPodRole } }
steps:
  - as: aws-cli
    credentials: {}
    expect: { role: MyPodRole }
  - name: and S3 denies it
    as: aws-cli
    call: s3:ListBuckets
    expect: { denied: AccessDenied }
";

/// The pod gets keys where it should be refused.
pub(crate) const FAILS: &str = "\
name: The pod is refused
why: Nobody has allowed it anything.
given:
  roles: { MyPodRole: {} }
  pods:  { aws-cli: { role: MyPodRole } }
steps:
  - as: aws-cli
    credentials: {}
    expect: refused
";

/// It needs what no world has.
pub(crate) const SKIPS: &str = "\
name: The pod is handed its role on the moon
why: No world has one.
needs: [moon]
given:
  roles: { MyPodRole: {} }
  pods:  { aws-cli: { role: MyPodRole } }
steps:
  - as: aws-cli
    credentials: {}
    expect: { role: MyPodRole }
";

/// It names a fixture that is not there.
pub(crate) const ERRS: &str = "\
name: A trust policy is read from a file
why: Suites grow files.
given:
  roles: { MyPodRole: { trust: trust/absent.json } }
  pods:  { aws-cli: { role: MyPodRole } }
steps:
  - as: aws-cli
    credentials: {}
    expect: { role: MyPodRole }
";
