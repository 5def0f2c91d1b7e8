//! The files that a pod's projected volumes bring into its containers: tokens, the authority of the API server, and what
//! a pod may know of itself.

use std::{collections::BTreeMap, fmt};

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::sync::Kubelet;
use crate::{
    authentication::{BoundObject, TokenWish},
    registry::ROOT_CA,
    store::{
        Key,
        object::{items, text},
    },
};

/// One file in a pod.
#[derive(Clone)]
pub struct PodFile {
    /// Its absolute path in every container that mounts the volume, such as
    /// `/var/run/secrets/kubernetes.io/serviceaccount/token`.
    pub path: String,
    /// What is in it.
    pub contents: SecretString,
    /// The bits of its mode, such as `0o644`.
    pub mode: u32,
}

/// All files of a pod, and when they are to be made anew.
pub(super) struct Files {
    pub(super) files: Vec<PodFile>,
    /// When four fifths of the first token's time are over; none without tokens.
    pub(super) stale_at: Option<Timestamp>,
}

/// A token that is to live longer is made anew after a day (`kubelet/token`).
const LONGEST_USE: SignedDuration = SignedDuration::from_hours(24);

impl fmt::Debug for PodFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PodFile")
            .field("path", &self.path)
            .field("mode", &format_args!("{:#o}", self.mode))
            .finish_non_exhaustive()
    }
}

impl PartialEq for PodFile {
    fn eq(&self, other: &Self) -> bool {
        let parts = |file: &Self| (file.path.clone(), file.contents.expose_secret().to_owned(), file.mode);
        parts(self) == parts(other)
    }
}

// === impl Kubelet ===

impl Kubelet {
    /// Makes the files of a pod, with fresh tokens.
    ///
    /// # Errors
    /// A token is not to be had: why, with the volume.
    pub(super) fn files(&self, key: &Key, pod: &Value) -> Result<Files, String> {
        let mut stale_at: Option<Timestamp> = None;
        let mut volumes: BTreeMap<&str, Vec<PodFile>> = BTreeMap::new();
        for volume in items(pod, "/spec/volumes") {
            let name = text(volume, "/name");
            let mode = mode_of(&volume["projected"], "defaultMode").unwrap_or(0o644);
            let mut files = Vec::new();
            for source in items(volume, "/projected/sources") {
                if source["serviceAccountToken"].is_object() {
                    let (file, stale) = self
                        .token(key, pod, &source["serviceAccountToken"], mode)
                        .map_err(|why| format!("MountVolume.SetUp failed for volume {name:?} : {why}"))?;
                    stale_at = Some(stale_at.map_or(stale, |earlier| earlier.min(stale)));
                    files.push(file);
                }
                if text(source, "/configMap/name") == ROOT_CA {
                    for item in items(source, "/configMap/items") {
                        if text(item, "/key") == "ca.crt" {
                            files.push(file(item, &self.ca_pem, mode));
                        }
                    }
                }
                for item in items(source, "/downwardAPI/items") {
                    if let Some(value) = own_field(pod, text(item, "/fieldRef/fieldPath")) {
                        files.push(file(item, value, mode));
                    }
                }
            }
            volumes.insert(name, files);
        }
        Ok(Files {
            files: mounted(pod, &volumes),
            stale_at,
        })
    }

    fn token(&self, key: &Key, pod: &Value, source: &Value, mode: u32) -> Result<(PodFile, Timestamp), String> {
        let wish = TokenWish {
            audiences: match text(source, "/audience") {
                "" => Vec::new(),
                audience => vec![audience.to_owned()],
            },
            expiration: source["expirationSeconds"].as_i64().unwrap_or_default(),
            bound_to: Some(BoundObject {
                api_version: "v1".to_owned(),
                kind: "Pod".to_owned(),
                name: key.name.clone(),
                uid: text(pod, "/metadata/uid").to_owned(),
            }),
            sees_hidden: true,
        };
        let account = text(pod, "/spec/serviceAccountName");
        let issued = self
            .registry
            .issue_token(&key.namespace, account, &wish)
            .map_err(|error| format!("failed to fetch token: {}", error.message()))?;
        let time = issued.expires.duration_since(issued.issued);
        let used = (time * 4 / 5).min(LONGEST_USE);
        let stale = issued.issued.saturating_add(used).unwrap_or(Timestamp::MAX);
        let mut made = file(source, "", mode);
        made.contents = issued.token;
        Ok((made, stale))
    }
}

fn file(item: &Value, contents: &str, mode: u32) -> PodFile {
    PodFile {
        path: text(item, "/path").to_owned(),
        contents: contents.into(),
        mode: mode_of(item, "mode").unwrap_or(mode),
    }
}

fn mode_of(object: &Value, field: &str) -> Option<u32> {
    object.get(field)?.as_u64()?.try_into().ok()
}

/// A field that a pod may know of itself, if it is one that is kept here.
fn own_field<'a>(pod: &'a Value, path: &str) -> Option<&'a str> {
    let (map, key) = match path.strip_suffix("']").and_then(|path| path.split_once("['")) {
        Some((map, key)) => (map, Some(key)),
        None => (path, None),
    };
    let pointer = match (map, key) {
        ("metadata.name" | "metadata.namespace" | "metadata.uid", None) => format!("/{}", map.replace('.', "/")),
        ("metadata.labels" | "metadata.annotations", Some(key)) => {
            let key = key.replace('~', "~0").replace('/', "~1");
            format!("/{}/{key}", map.replace('.', "/"))
        }
        _ => return None,
    };
    pod.pointer(&pointer).and_then(Value::as_str)
}

/// The files at the places where containers mount their volumes, each place once.
fn mounted(pod: &Value, volumes: &BTreeMap<&str, Vec<PodFile>>) -> Vec<PodFile> {
    let mut files: BTreeMap<String, PodFile> = BTreeMap::new();
    let containers = items(pod, "/spec/initContainers")
        .iter()
        .chain(items(pod, "/spec/containers"));
    for mount in containers.flat_map(|container| items(container, "/volumeMounts")) {
        let place = text(mount, "/mountPath").trim_end_matches('/');
        for file in volumes.get(text(mount, "/name")).into_iter().flatten() {
            let mut file = file.clone();
            file.path = match text(mount, "/subPath") {
                "" => format!("{place}/{}", file.path),
                part if part == file.path => place.to_owned(),
                _ => continue,
            };
            files.insert(file.path.clone(), file);
        }
    }
    files.into_values().collect()
}
