use crate::{
    answer::Xml,
    authorise::Ask,
    services::{Call, Done},
};

/// How many there are of each kind. The quotas are those of a new account.
pub(super) fn summary(call: &mut Call<'_>) -> Done {
    call.params.only(&[])?;
    call.gate.check(call.state, Ask::new("iam:GetAccountSummary", "*"))?;
    let iam = &call.state[call.account];
    let own = iam.policies.values().filter(|policy| !policy.is_aws());
    let entries = [
        ("Users", iam.users.len()),
        ("UsersQuota", 5000),
        ("Groups", iam.groups.len()),
        ("GroupsQuota", 300),
        ("Roles", iam.roles.len()),
        ("RolesQuota", 1000),
        ("Policies", own.count()),
        ("PoliciesQuota", 1500),
        ("InstanceProfiles", iam.profiles.len()),
        ("InstanceProfilesQuota", 1000),
        ("Providers", iam.oidc_providers.len()),
        ("AccountAccessKeysPresent", 1),
        ("AccountMFAEnabled", 0),
        ("MFADevices", 0),
        ("ServerCertificates", 0),
        ("AccessKeysPerUserQuota", 2),
        ("GroupsPerUserQuota", 10),
        ("AttachedPoliciesPerRoleQuota", 10),
        ("AttachedPoliciesPerUserQuota", 10),
        ("AttachedPoliciesPerGroupQuota", 10),
        ("VersionsPerPolicyQuota", 5),
    ];
    let mut xml = Xml::new();
    xml.element("SummaryMap", |xml| {
        for (key, value) in entries {
            xml.element("entry", |xml| {
                xml.text("key", key).text("value", &value.to_string());
            });
        }
    });
    Ok(Some(xml))
}

/// No account here has an alias.
pub(super) fn list_aliases(call: &mut Call<'_>) -> Done {
    call.params.only(&["Marker", "MaxItems"])?;
    call.gate.check(call.state, Ask::new("iam:ListAccountAliases", "*"))?;
    super::page::write(call.params, "AccountAliases", &[], |_, (): &()| {}).map(Some)
}
