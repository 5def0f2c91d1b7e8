use serde_json::{Map, Value};

/// Applies a strategic merge patch: as a merge patch, but lists of maps that have a key in Kubernetes' types are
/// merged item by item, and the directives `$patch`, `$deleteFromPrimitiveList/…` are obeyed.
///
/// # Errors
/// An item of such a list lacks the key, or a directive is unknown.
pub(super) fn apply(target: &mut Value, patch: &Value) -> Result<(), String> {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return Ok(());
    };
    match patch.get("$patch").and_then(Value::as_str) {
        None => {}
        Some("replace") => {
            *target = Value::Object(without_directives(patch));
            return Ok(());
        }
        Some("delete") => {
            *target = Value::Object(Map::new());
            return Ok(());
        }
        Some(other) => return Err(format!("unknown $patch directive {other:?}")),
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else { return Ok(()) };
    for (key, value) in patch {
        if let Some(list) = key.strip_prefix("$deleteFromPrimitiveList/") {
            let gone = value.as_array().map_or(&[][..], Vec::as_slice);
            if let Some(Value::Array(kept)) = fields.get_mut(list) {
                kept.retain(|item| !gone.contains(item));
            }
        } else if key.starts_with('$') {
            // `$setElementOrder` and `$retainKeys` change the order or clear unions; nothing here depends on either.
        } else if value.is_null() {
            fields.shift_remove(key);
        } else if let (Some(merge_key), Value::Array(items)) = (merge_key(key), value) {
            merge_list(fields.entry(key.as_str()).or_insert(Value::Null), items, merge_key)?;
        } else if let ("finalizers", Value::Array(items)) = (key.as_str(), value) {
            merge_set(fields.entry(key.as_str()).or_insert(Value::Null), items);
        } else {
            apply(fields.entry(key.as_str()).or_insert(Value::Null), value)?;
        }
    }
    Ok(())
}

/// The `patchMergeKey` of the lists in the types that the server keeps.
fn merge_key(list: &str) -> Option<&'static str> {
    Some(match list {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "volumes"
        | "env"
        | "imagePullSecrets"
        | "secrets"
        | "resourceClaims" => "name",
        "ports" => "containerPort",
        "volumeMounts" => "mountPath",
        "volumeDevices" => "devicePath",
        "hostAliases" | "podIPs" | "hostIPs" => "ip",
        "conditions" | "addresses" => "type",
        "taints" => "key",
        "ownerReferences" => "uid",
        "topologySpreadConstraints" => "topologyKey",
        _ => return None,
    })
}

fn merge_list(target: &mut Value, patches: &[Value], key: &str) -> Result<(), String> {
    let replace = patches
        .iter()
        .any(|item| item.get("$patch").and_then(Value::as_str) == Some("replace"));
    if !target.is_array() || replace {
        *target = Value::Array(Vec::new());
    }
    let Value::Array(list) = target else { return Ok(()) };
    for item in patches {
        let directive = item.get("$patch").and_then(Value::as_str);
        let Some(value) = item.get(key) else {
            match directive {
                Some("replace") => continue,
                _ => return Err(format!("map: {item} does not contain declared merge key: {key}")),
            }
        };
        let place = list.iter().position(|old| old.get(key) == Some(value));
        match (directive, place) {
            (Some("delete"), Some(at)) => {
                list.remove(at);
            }
            (Some("delete"), None) => {}
            (_, Some(at)) => apply(&mut list[at], item)?,
            (_, None) => {
                let mut new = Value::Null;
                apply(&mut new, item)?;
                list.push(new);
            }
        }
    }
    Ok(())
}

fn merge_set(target: &mut Value, items: &[Value]) {
    if !target.is_array() {
        *target = Value::Array(Vec::new());
    }
    if let Value::Array(list) = target {
        for item in items {
            if !list.contains(item) {
                list.push(item.clone());
            }
        }
    }
}

fn without_directives(patch: &Map<String, Value>) -> Map<String, Value> {
    let plain = patch.iter().filter(|(key, _)| !key.starts_with('$'));
    plain.map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::annotations(
        json!({"metadata": {"annotations": {"a": "1", "b": "2"}}}),
        json!({"metadata": {"annotations": {"a": null, "c": "3"}}}),
        json!({"metadata": {"annotations": {"b": "2", "c": "3"}}})
    )]
    #[case::containers_by_name(
        json!({"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]}),
        json!({"containers": [{"name": "b", "image": "2"}]}),
        json!({"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "2"}]})
    )]
    #[case::an_item_deleted(
        json!({"conditions": [{"type": "Ready"}, {"type": "Old"}]}),
        json!({"conditions": [{"type": "Old", "$patch": "delete"}]}),
        json!({"conditions": [{"type": "Ready"}]})
    )]
    #[case::a_list_replaced(
        json!({"taints": [{"key": "a"}]}),
        json!({"taints": [{"$patch": "replace"}, {"key": "b"}]}),
        json!({"taints": [{"key": "b"}]})
    )]
    #[case::finalizers_are_a_set(
        json!({"finalizers": ["a", "b"]}),
        json!({"finalizers": ["b", "c"], "$deleteFromPrimitiveList/finalizers": ["a"]}),
        json!({"finalizers": ["b", "c"]})
    )]
    #[case::atomic_lists(
        json!({"tolerations": [{"key": "a"}]}),
        json!({"tolerations": [{"key": "b"}]}),
        json!({"tolerations": [{"key": "b"}]})
    )]
    fn lists_are_merged_by_their_key(#[case] mut target: Value, #[case] patch: Value, #[case] expected: Value) {
        apply(&mut target, &patch).expect("a valid patch");
        assert_eq!(target, expected);
    }

    #[test]
    fn an_item_without_its_key_is_refused() {
        let mut target = json!({});
        let error = apply(&mut target, &json!({"containers": [{"image": "x"}]})).unwrap_err();
        assert!(error.contains("merge key: name"), "{error}");
    }
}
