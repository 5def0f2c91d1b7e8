//! Files of Kubernetes objects, applied as they are.

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    api::{DynamicObject, Patch, PatchParams, PostParams},
    core::{ApiResource, GroupVersionKind},
};
use rolecall_scenario::{Spanned, model::Manifest};
use serde::Deserialize;

use super::{
    Documents, KubernetesOperator,
    kubernetes::{PodName, refused},
};
use crate::world::WorldError;

// === impl KubernetesOperator: manifests ===

impl KubernetesOperator {
    /// Applies files in their order, and waits until the pods among their objects run.
    ///
    /// # Errors
    /// A file cannot be read or is no manifest; [`WorldError::Refused`] with what the API server said.
    pub(crate) async fn apply_manifests(&self, manifests: &[Spanned<Manifest>]) -> Result<(), WorldError> {
        for manifest in manifests {
            for object in objects(manifest, &self.documents)? {
                self.apply_object(object, &manifest.file).await?;
            }
        }
        Ok(())
    }

    async fn apply_object(&self, object: DynamicObject, file: &str) -> Result<(), WorldError> {
        let types = object.types.clone().unwrap_or_default();
        let name = object.metadata.name.clone().unwrap_or_default();
        let what = format!("apply {} {name} of {file}", types.kind);
        if types.kind == "Pod" {
            return self.apply_manifest_pod(object, what).await;
        }
        let (group, version) = types.api_version.split_once('/').unwrap_or(("", &types.api_version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &types.kind));
        let cluster_wide = matches!(
            types.kind.as_str(),
            "Namespace" | "Node" | "ClusterRole" | "ClusterRoleBinding"
        );
        let namespace = object
            .metadata
            .namespace
            .clone()
            .unwrap_or_else(|| "default".to_owned());
        let api: Api<DynamicObject> = if cluster_wide {
            Api::all_with(self.client(), &resource)
        } else {
            Api::namespaced_with(self.client(), &namespace, &resource)
        };
        // As `kubectl apply` does: made if it is not there, else what the file says is laid over it.
        match api.get_opt(&name).await {
            Ok(None) => api.create(&PostParams::default(), &object).await.map(drop),
            Ok(Some(_)) => api
                .patch(&name, &PatchParams::default(), &Patch::Merge(&object))
                .await
                .map(drop),
            Err(error) => Err(error),
        }
        .map_err(|error| refused(what, &error))
    }

    async fn apply_manifest_pod(&self, object: DynamicObject, what: String) -> Result<(), WorldError> {
        let value = serde_json::to_value(&object).map_err(|error| WorldError::doing(&what, &error))?;
        let mut pod: Pod = serde_json::from_value(value).map_err(|error| WorldError::doing(&what, &error))?;
        self.style.dress(&mut pod);
        let located = PodName {
            namespace: pod.metadata.namespace.clone().unwrap_or_else(|| "default".to_owned()),
            name: pod.metadata.name.clone().unwrap_or_default(),
        };
        let api = self.api(&located);
        match api.get_opt(&located.name).await {
            Ok(None) => self.create_pod(&api, &pod, what).await?,
            Ok(Some(_)) => {
                let laid = api
                    .patch(&located.name, &PatchParams::default(), &Patch::Merge(&pod))
                    .await;
                laid.map(drop).map_err(|error| refused(what, &error))?;
            }
            Err(error) => return Err(refused(what, &error)),
        }
        self.wait_until_running(&located).await
    }
}

/// The objects of a file, in their order.
fn objects(manifest: &Manifest, documents: &Documents) -> Result<Vec<DynamicObject>, WorldError> {
    let text = read(manifest, documents)?;
    let mut objects = Vec::new();
    for (number, document) in serde_yaml::Deserializer::from_str(&text).enumerate() {
        let what = format!("read object {} of {}", number + 1, manifest.file);
        let value = serde_json::Value::deserialize(document).map_err(|error| WorldError::doing(&what, &error))?;
        if !value.is_null() {
            objects.push(serde_json::from_value(value).map_err(|error| WorldError::doing(&what, &error))?);
        }
    }
    Ok(objects)
}

/// The file's text, its placeholders filled.
fn read(manifest: &Manifest, documents: &Documents) -> Result<String, WorldError> {
    let path = documents.fixtures.join("manifests").join(&manifest.file);
    let mut text = std::fs::read_to_string(&path)
        .map_err(|error| WorldError::doing(format_args!("read {}", path.display()), &error))?;
    let Some(set) = &manifest.set else { return Ok(text) };
    for (placeholder, value) in set {
        let placeholder = format!("{{{{{placeholder}}}}}");
        if !text.contains(&placeholder) {
            return Err(WorldError::new(format!(
                "{} has no {placeholder} to set",
                path.display()
            )));
        }
        text = text.replace(&placeholder, &documents.own(value));
    }
    match text.find("{{") {
        None => Ok(text),
        Some(at) => {
            let left: String = text[at..].chars().take_while(|c| *c != '\n').take(40).collect();
            Err(WorldError::new(format!(
                "{} still has {left} after `set`",
                path.display()
            )))
        }
    }
}
