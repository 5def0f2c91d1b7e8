use std::collections::{BTreeMap, BTreeSet};

use super::{
    given::{self, Facts},
    phrase::{and, code},
    vault,
};
use crate::{
    Spanned, format_duration,
    model::{Given, ProxySettings, Restored},
};

/// The namespaces that every cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// The things that exist so far, by kind and name: what an `apply` names anew, it makes.
pub(super) struct Known(BTreeSet<(&'static str, String)>);

// === impl Known ===

impl Default for Known {
    fn default() -> Self {
        Self(
            NAMESPACES
                .iter()
                .map(|name| ("namespace", (*name).to_owned()))
                .collect(),
        )
    }
}

impl Known {
    /// What exists, one sentence each.
    pub(super) fn given(&mut self, given: &Given) -> Vec<String> {
        let mut said = Vec::new();
        said.extend(
            given
                .accounts
                .iter()
                .map(|account| format!("the further AWS account {}", account.value)),
        );
        said.extend(
            given
                .region
                .as_ref()
                .map(|region| format!("the AWS account is used in {region}")),
        );
        said.extend(propagation(given));
        said.extend(given::cluster(&given.cluster));
        said.extend(self.things("role", &given.roles, given::role));
        said.extend(self.things("user", &given.users, given::user));
        said.extend(
            self.things("bucket", &given.buckets, |bucket| match given::bucket(bucket) {
                facts if facts.is_empty() => vec!["it is empty".to_owned()],
                facts => facts,
            }),
        );
        said.extend(self.things("namespace", &given.namespaces, given::namespace));
        said.extend(self.things("pod", &given.pods, given::pod));
        said.extend(given.vault.iter().flat_map(|vault| vault::vault(vault)));
        said.extend(given.manifests.iter().map(|manifest| given::manifest(manifest)));
        said
    }

    fn things<T>(
        &mut self,
        kind: &'static str,
        things: &BTreeMap<String, Spanned<T>>,
        facts: impl Fn(&T) -> Facts,
    ) -> Vec<String> {
        let mut said = Vec::new();
        for (name, thing) in things {
            self.0.insert((kind, name.clone()));
            said.push(thing_said(kind, name, &facts(thing)));
        }
        said
    }

    /// What an `apply` changes or makes.
    pub(super) fn change(&mut self, given: &Given, proxy: &ProxySettings) -> Vec<String> {
        let mut said = Vec::new();
        let settings = given::proxy(proxy);
        if !settings.is_empty() || !proxy.restored.is_empty() {
            let mut facts = Facts::new();
            if !settings.is_empty() {
                facts.push(format!("it {}", and(&settings)));
            }
            facts.extend(restored(&proxy.restored));
            said.push(format!(
                "the proxy is restarted with other settings: {}",
                facts.join("; ")
            ));
        }
        said.extend(
            given
                .accounts
                .iter()
                .map(|account| format!("the further AWS account {}", account.value)),
        );
        said.extend(
            given
                .region
                .as_ref()
                .map(|region| format!("the AWS account is used in {region}")),
        );
        said.extend(propagation(given));
        said.extend(restored(&given.restored));
        said.extend(given::cluster(&given.cluster));
        said.extend(restored(&given.cluster.restored));
        said.extend(restored(&given.cluster.imds.restored));
        said.extend(
            self.changed("role", &given.roles, given::role, given::role_facts, |role| {
                &role.restored
            }),
        );
        said.extend(self.changed("user", &given.users, given::user, given::user, |user| &user.restored));
        said.extend(
            self.changed("bucket", &given.buckets, given::bucket, given::bucket, |bucket| {
                &bucket.restored
            }),
        );
        let namespace = given::namespace;
        said.extend(
            self.changed("namespace", &given.namespaces, namespace, namespace, |namespace| {
                &namespace.restored
            }),
        );
        said.extend(self.changed("pod", &given.pods, given::pod, given::pod_facts, |pod| &pod.restored));
        said.extend(given.vault.iter().flat_map(|vault| {
            let mut facts = vault::vault(vault);
            facts.extend(restored(&vault.restored));
            facts
        }));
        said.extend(given.manifests.iter().map(|manifest| given::manifest(manifest)));
        said
    }

    fn changed<T>(
        &mut self,
        kind: &'static str,
        things: &BTreeMap<String, Spanned<T>>,
        whole: impl Fn(&T) -> Facts,
        written: impl Fn(&T) -> Facts,
        null: impl Fn(&T) -> &Restored,
    ) -> Vec<String> {
        let mut said = Vec::new();
        for (name, thing) in things {
            if self.0.insert((kind, name.clone())) {
                said.push(format!("there is now {}", thing_said(kind, name, &whole(thing))));
                continue;
            }
            let mut facts = written(thing);
            facts.extend(restored(null(thing)));
            if facts.is_empty() {
                facts.push("nothing of it changes".to_owned());
            }
            said.push(format!("of the {kind} {name}: {}", facts.join("; ")));
        }
        said
    }
}

fn propagation(given: &Given) -> Option<String> {
    let delay = given.propagation?;
    Some(format!("changes of IAM are seen {} late", format_duration(delay)))
}

fn thing_said(kind: &str, name: &str, facts: &[String]) -> String {
    match facts {
        [] => format!("the {kind} {name}"),
        facts => format!("the {kind} {name}: {}", facts.join("; ")),
    }
}

fn restored(null: &Restored) -> Option<String> {
    let words: Vec<String> = null.iter().map(|word| code(word)).collect();
    (!words.is_empty()).then(|| format!("{} as by default", and(&words)))
}
