use super::{
    given::Facts,
    phrase::{and, code},
};
use crate::{format_duration, model::Vault};

/// What is written of Vault.
pub(super) fn vault(vault: &Vault) -> Facts {
    let mut facts = Facts::new();
    let mut say = |fact: String| facts.push(fact);
    for (name, file) in &vault.policies {
        say(format!("Vault's policy {name} is {}", file.value));
    }
    for (name, role) in vault.auth_roles.iter().flatten() {
        say(format!("the auth role {name} is {}", code(&role.value.to_string())));
    }
    if let Some(root) = &vault.root {
        say(format!("Vault's AWS secrets engine works as the user {}", root.value));
    }
    let lease = [
        vault
            .lease
            .map(|lease| format!("its leases last {}", format_duration(lease))),
        vault
            .lease_max
            .map(|longest| format!("no lease lasts longer than {}", format_duration(longest))),
    ];
    let lease: Vec<String> = lease.into_iter().flatten().collect();
    if !lease.is_empty() {
        say(and(&lease));
    }
    for (name, role) in &vault.roles {
        say(format!("the Vault role {name} is {}", code(&role.value.to_string())));
    }
    facts
}
