use std::{
    path::{Path, PathBuf},
    sync::LazyLock,
};

use boon::{Compiler, SchemaIndex, Schemas};
use rstest::rstest;
use serde_json::Value;

use super::schema;
use crate::{Source, tree};

/// Compiled once: that takes longer than all files together.
static VALIDATOR: LazyLock<Validator> = LazyLock::new(Validator::new);

struct Validator {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Validator {
    fn new() -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("schema.json", schema()).unwrap();
        let index = compiler.compile("schema.json", &mut schemas).unwrap();
        Self { schemas, index }
    }

    fn refusal(&self, value: &Value) -> Option<String> {
        let answer = self.schemas.validate(value, self.index);
        answer.err().map(|error| format!("{error:#}"))
    }
}

/// A file as JSON; `None` if it is no YAML of the language at all.
fn json(path: &Path) -> Option<Value> {
    let (tree, errors) = tree::parse(&Source::new(path, std::fs::read_to_string(path).unwrap()));
    errors.is_empty().then_some(tree)?.map(|node| node.json())
}

#[rstest]
fn a_scenario_that_loads_fits_the_schema(
    #[files("tests/contract/*.yaml")]
    #[files("../scenarios/**/*.yaml")]
    path: PathBuf,
) {
    assert_eq!(VALIDATOR.refusal(&json(&path).unwrap()), None);
}

/// Wrong files in which every value has its shape: names that are unknown, and bounds that contradict each other.
const RIGHT_BY_SHAPE: [&str; 4] = ["contradictory-bounds", "dangling-names", "saved", "since-itself"];

#[test]
fn a_file_that_is_wrong_by_its_shape_does_not_fit_the_schema() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut fitting: Vec<String> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .filter(|path| json(path).is_some_and(|json| VALIDATOR.refusal(&json).is_none()))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    fitting.sort();
    assert_eq!(fitting, RIGHT_BY_SHAPE);
}

#[rstest]
#[case("/given/roles/R/policis", serde_json::json!([]))]
#[case("/given/roles/R/max_session", serde_json::json!(3600))]
#[case("/given/roles/R/trust", serde_json::json!("nodes"))]
#[case("/given/roles/R/inline", serde_json::json!({ "p": null }))]
#[case("/given/roles/R/inline", serde_json::json!({ "p": { "Statement": { "Effect": "allow" } } }))]
#[case("/given/pods/app/phase", serde_json::json!("Crashing"))]
#[case("/given/pods/a~1b~1c", serde_json::json!({}))]
#[case("/given/accounts", serde_json::json!(["self"]))]
#[case("/given/manifests", serde_json::json!(["../x.yaml"]))]
#[case("/proxy/intercept", serde_json::json!("nft"))]
#[case("/profile", serde_json::json!("pods"))]
#[case("/name", serde_json::json!(7))]
#[case("/steps", serde_json::json!([]))]
#[case("/steps/0/as", serde_json::json!(null))]
#[case("/steps/0/credentials", serde_json::json!(null))]
#[case("/steps/0/call", serde_json::json!("s3:ListBuckets"))]
#[case("/steps/0/at_once", serde_json::json!(1001))]
#[case("/steps/0/within", serde_json::json!("5"))]
#[case("/steps/0/expect", serde_json::json!("allowed"))]
#[case("/steps/0/expect", serde_json::json!({ "refused": false }))]
#[case("/steps/0/expect", serde_json::json!({ "status": "9xx" }))]
#[case("/steps/0/expect", serde_json::json!({}))]
#[case("/steps/1/as", serde_json::json!("app"))]
#[case("/steps/1/save", serde_json::json!("x"))]
#[case("/steps/1/journal", serde_json::json!("imds:GET"))]
#[case("/steps/2/stop", serde_json::json!({ "proxy": "master-1" }))]
#[case("/steps/2/expect", serde_json::json!("applied"))]
fn one_value_out_of_shape_does_not_fit_the_schema(#[case] place: &str, #[case] value: Value) {
    let mut scenario = serde_json::json!({
        "name": "n",
        "proxy": { "cache_ttl": "15m" },
        "given": { "roles": { "R": {} }, "pods": { "app": { "role": "R" }, "b": null } },
        "steps": [
            { "as": "app", "credentials": {}, "expect": { "role": "R" } },
            { "journal": "sts:*", "expect": "never" },
            { "stop": { "proxy": "node-1" } },
        ],
    });
    assert_eq!(VALIDATOR.refusal(&scenario), None);
    let (parent, key) = place.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/");
    scenario
        .pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .insert(key, value);
    assert!(VALIDATOR.refusal(&scenario).is_some());
}

#[test]
fn the_schema_beside_the_scenarios_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/schema.json");
    let current = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == current,
        "scenarios/schema.json is not what the table of words makes: UPDATE_GOLDEN=1 cargo test -p rolecall-scenario"
    );
}
