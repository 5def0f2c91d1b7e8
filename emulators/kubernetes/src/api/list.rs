use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ApiError, query::Query};
use crate::store::{Compacted, Key, Selection, Store};

/// Where the next page begins. All pages of a list are of one version.
#[derive(Serialize, Deserialize)]
struct Continue {
    #[serde(rename = "rv")]
    version: u64,
    /// The namespace and the name of the last object given out.
    namespace: String,
    name: String,
}

/// Lists a selection, with `limit`, `continue`, `resourceVersion` and `resourceVersionMatch`.
pub(super) fn list(store: &Store, selection: &Selection, query: &Query) -> Result<Value, ApiError> {
    let asked = query.resource_version()?;
    // With version 0 the server answers from its cache, whole.
    let limit = query
        .number::<usize>("limit")?
        .filter(|limit| *limit > 0 && asked != Some(0));
    let page = Continue::parse(query.text("continue"))?;
    if page.is_some() && asked.is_some_and(|version| version > 0) {
        return Err(ApiError::bad_request(
            "specifying resource version is not allowed when using continue",
        ));
    }
    let exact = query.text("resourceVersionMatch") == "Exact";
    let (version, objects, hidden) = store.read(|state| {
        let current = state.version();
        if let Some(asked) = asked.filter(|asked| *asked > current) {
            return Err(ApiError::too_new(asked, current));
        }
        let version = match &page {
            Some(page) => page.version.min(current),
            None if exact => asked.unwrap_or(current),
            None => current,
        };
        let objects = state.at(selection.resource, version).map_err(|Compacted { oldest }| {
            if page.is_some() {
                ApiError::expired("The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.")
            } else {
                ApiError::too_old(version, oldest)
            }
        })?;
        let hidden: Vec<Key> = objects.keys().filter(|key| state.is_hidden(key)).cloned().collect();
        Ok((version, objects, hidden))
    })?;
    let after = page.map(|page| Key::new(selection.resource, &page.namespace, &page.name));
    let mut matching = objects
        .iter()
        .filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after))
        .filter(|(key, object)| selection.contains(key, object, hidden.contains(key)));
    let mut items = Vec::new();
    let mut last = None;
    for (key, object) in matching.by_ref().take(limit.unwrap_or(usize::MAX)) {
        // The items of a list do not say what they are; the list does.
        let mut item = Value::clone(object);
        if let Value::Object(fields) = &mut item {
            fields.shift_remove("kind");
            fields.shift_remove("apiVersion");
        }
        items.push(item);
        last = Some(key);
    }
    let remaining = matching.count();
    let mut metadata = json!({"resourceVersion": version.to_string()});
    if let Some(key) = last.filter(|_| remaining > 0) {
        let next = Continue {
            version,
            namespace: key.namespace.clone(),
            name: key.name.clone(),
        };
        metadata["continue"] = next.to_token().into();
        if selection.labels.is_empty() && selection.fields.is_empty() {
            metadata["remainingItemCount"] = remaining.into();
        }
    }
    Ok(json!({
        "kind": format!("{}List", selection.resource.kind()),
        "apiVersion": selection.resource.api_version(),
        "metadata": metadata,
        "items": items,
    }))
}

// === impl Continue ===

impl Continue {
    fn parse(token: &str) -> Result<Option<Self>, ApiError> {
        if token.is_empty() {
            return Ok(None);
        }
        URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .map(Some)
            .ok_or_else(|| {
                ApiError::bad_request(
                    "invalid continue token: continue key is not valid: it is not one that this server has given out",
                )
            })
    }

    fn to_token(&self) -> String {
        // Numbers and texts only: this cannot fail, and an empty token would merely end the list.
        serde_json::to_vec(self)
            .map(|json| URL_SAFE_NO_PAD.encode(json))
            .unwrap_or_default()
    }
}
