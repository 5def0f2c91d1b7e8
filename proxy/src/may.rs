//! Whether a namespace allows a role: the list in its annotation.

mod glob;
mod patterns;

use clap::ValueEnum;

use crate::which::{BaseArn, Role, VaultRole};
use patterns::Patterns;

pub use glob::glob;

/// Why a namespace does not allow a role. All of them deny.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Denied {
    /// The namespace is not known, after a short wait for the watch.
    #[error("the pod's namespace is not known")]
    UnknownNamespace,
    /// No annotation, or an empty one.
    #[error("the namespace has no list of allowed roles")]
    NoList,
    /// The annotation is no JSON array of strings. kube2iam uses what it could read of it; half a list is none.
    #[error("the namespace's list of allowed roles is not a JSON array of strings")]
    Malformed,
    /// The list has no entry for this role.
    #[error("the namespace's list does not allow the role")]
    NotListed,
}

/// How entries of a list are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RestrictionFormat {
    /// Only `*` is special.
    Glob,
    /// Regular expressions.
    Regexp,
}

/// The roles that a namespace's annotation allows, read once.
#[derive(Clone, Debug)]
pub struct AllowedRoles {
    annotation: Option<String>,
    list: Result<List, Denied>,
    problems: Vec<String>,
}

#[derive(Clone, Debug)]
enum List {
    Globs(Vec<String>),
    Patterns(Patterns),
}

impl AllowedRoles {
    /// Reads the annotation; none is none.
    pub fn read(annotation: Option<&str>, format: RestrictionFormat) -> Self {
        let mut problems = Vec::new();
        let list = entries(annotation).map(|entries| match format {
            RestrictionFormat::Glob => List::Globs(entries),
            RestrictionFormat::Regexp => {
                let (patterns, unusable) = Patterns::read(entries.iter().map(String::as_str));
                problems = unusable;
                List::Patterns(patterns)
            }
        });
        Self {
            annotation: annotation.map(str::to_owned),
            list,
            problems,
        }
    }

    /// The annotation, as it is written.
    pub fn annotation(&self) -> Option<&str> {
        self.annotation.as_deref()
    }

    /// What is wrong with single entries, in words. They allow nothing.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Decides whether `role` is allowed. An entry is matched against the role's whole ARN if it begins with `arn:`;
    /// another is matched against what follows the base ARN, so that a name, or `*`, never reaches into another
    /// account. Without a base ARN there are no names, and every entry is for the whole ARN.
    ///
    /// # Errors
    /// Whenever the annotation does not say yes.
    pub fn allow(&self, role: &Role, base: Option<&BaseArn>) -> Result<(), Denied> {
        let listed = match self.list.as_ref().map_err(|denied| *denied)? {
            List::Patterns(patterns) => patterns.allow(role, base),
            List::Globs(globs) => globs.iter().any(|entry| match base {
                Some(base) if !entry.starts_with("arn:") => {
                    let name = entry.strip_prefix('/').unwrap_or(entry);
                    role.arn
                        .strip_prefix(base.as_str())
                        .is_some_and(|tail| glob(name, tail))
                }
                _ => glob(entry, &role.arn),
            }),
        };
        if listed { Ok(()) } else { Err(Denied::NotListed) }
    }

    /// Decides whether a role of Vault is allowed. It is seen as `vault:<name>`, and only by entries that begin with
    /// `vault:`: a `*` that was written for the roles of an account must not open Vault. Such an entry, in turn, never
    /// matches a role of AWS, whose name has no colon.
    ///
    /// # Errors
    /// Whenever the annotation does not say yes.
    pub fn allow_vault(&self, role: &VaultRole) -> Result<(), Denied> {
        let text = role.to_string();
        let listed = match self.list.as_ref().map_err(|denied| *denied)? {
            List::Patterns(patterns) => patterns.allow_vault(&text),
            List::Globs(globs) => {
                let mut entries = globs.iter().filter(|entry| entry.starts_with("vault:"));
                entries.any(|entry| glob(entry, &text))
            }
        };
        if listed { Ok(()) } else { Err(Denied::NotListed) }
    }
}

/// The entries of a list that is not empty; without the empty ones, which name nothing.
fn entries(annotation: Option<&str>) -> Result<Vec<String>, Denied> {
    let text = annotation
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .ok_or(Denied::NoList)?;
    let entries: Vec<String> = serde_json::from_str(text).map_err(|_| Denied::Malformed)?;
    if entries.is_empty() {
        return Err(Denied::NoList);
    }
    let entries = entries
        .iter()
        .map(|entry| entry.trim())
        .filter(|entry| !entry.is_empty());
    Ok(entries.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn allows(annotation: Option<&str>, role: &Role, base: Option<&BaseArn>) -> Result<(), Denied> {
        AllowedRoles::read(annotation, RestrictionFormat::Glob).allow(role, base)
    }

    #[rstest]
    #[case::by_name(Some(r#"["MyPodRole"]"#), Ok(()))]
    #[case::by_arn(Some(r#"["arn:aws:iam::123456789012:role/MyPodRole"]"#), Ok(()))]
    #[case::by_glob(Some(r#"["My*"]"#), Ok(()))]
    #[case::by_arn_glob(Some(r#"["arn:*:role/MyPod*"]"#), Ok(()))]
    #[case::second_entry(Some(r#"["Other","MyPodRole"]"#), Ok(()))]
    #[case::block_scalar(Some("[\"MyPodRole\"]\n"), Ok(()))]
    #[case::absent(None, Err(Denied::NoList))]
    #[case::empty(Some(""), Err(Denied::NoList))]
    #[case::empty_list(Some("[]"), Err(Denied::NoList))]
    #[case::empty_entry(Some(r#"[""]"#), Err(Denied::NotListed))]
    #[case::no_json(Some("MyPodRole"), Err(Denied::Malformed))]
    #[case::no_list(Some(r#""MyPodRole""#), Err(Denied::Malformed))]
    #[case::mixed(Some(r#"["MyPodRole",1]"#), Err(Denied::Malformed))]
    #[case::null(Some(r#"["MyPodRole",null]"#), Err(Denied::Malformed))]
    #[case::trailing(Some(r#"["MyPodRole"],"#), Err(Denied::Malformed))]
    #[case::case_differs(Some(r#"["mypodrole"]"#), Err(Denied::NotListed))]
    #[case::prefix(Some(r#"["MyPod"]"#), Err(Denied::NotListed))]
    #[case::suffix(Some(r#"["PodRole"]"#), Err(Denied::NotListed))]
    #[case::regexp_is_no_glob(Some(r#"["MyPod.*","MyPodRol?","[M]yPodRole"]"#), Err(Denied::NotListed))]
    #[case::other_account(Some(r#"["arn:aws:iam::999999999999:role/MyPodRole"]"#), Err(Denied::NotListed))]
    fn a_namespace_allows_what_its_list_says(#[case] annotation: Option<&str>, #[case] answer: Result<(), Denied>) {
        let base: BaseArn = "arn:aws:iam::123456789012:role/".parse().unwrap();
        let role = Role::resolve(Some("MyPodRole"), Some(&base)).unwrap();
        assert_eq!(allows(annotation, &role, Some(&base)), answer);
    }

    #[rstest]
    #[case(r#"["*"]"#)]
    #[case(r#"["reader"]"#)]
    fn an_entry_by_name_never_reaches_into_another_account(#[case] list: &str) {
        let base: BaseArn = "arn:aws:iam::123456789012:role/".parse().unwrap();
        let role = Role::resolve(Some("arn:aws:iam::999999999999:role/reader"), Some(&base)).unwrap();
        assert_eq!(allows(Some(list), &role, Some(&base)), Err(Denied::NotListed));
    }

    #[rstest]
    #[case(RestrictionFormat::Glob, r#"["vault:readonly"]"#, true)]
    #[case(RestrictionFormat::Glob, r#"["vault:read*"]"#, true)]
    #[case(RestrictionFormat::Glob, r#"["vault:*"]"#, true)]
    #[case(RestrictionFormat::Glob, r#"["vault:read"]"#, false)]
    #[case(RestrictionFormat::Glob, r#"["readonly","*","*:readonly"]"#, false)]
    #[case(RestrictionFormat::Regexp, r#"["vault:read.*"]"#, true)]
    #[case(RestrictionFormat::Regexp, r#"["^(vault:readonly)$"]"#, true)]
    #[case(RestrictionFormat::Regexp, r#"["vault:read"]"#, false)]
    #[case(RestrictionFormat::Regexp, r#"["readonly",".*",".*:readonly"]"#, false)]
    fn only_an_entry_for_vault_allows_a_vault_role(
        #[case] format: RestrictionFormat,
        #[case] list: &str,
        #[case] allowed: bool,
    ) {
        let role = VaultRole::new("readonly").unwrap();
        let list = AllowedRoles::read(Some(list), format);
        assert_eq!(list.allow_vault(&role).is_ok(), allowed);
    }

    #[rstest]
    #[case(RestrictionFormat::Glob, r#"["vault:*"]"#)]
    #[case(RestrictionFormat::Regexp, r#"["vault:.*","vault:|.*"]"#)]
    fn an_entry_for_vault_allows_no_role_of_aws(#[case] format: RestrictionFormat, #[case] list: &str) {
        let role = Role::resolve(Some("arn:aws:iam::123456789012:role/x"), None).unwrap();
        let base: BaseArn = "arn:aws:iam::123456789012:role/".parse().unwrap();
        let list = AllowedRoles::read(Some(list), format);
        assert_eq!(list.allow(&role, None), Err(Denied::NotListed));
        assert_eq!(list.allow(&role, Some(&base)), Err(Denied::NotListed));
    }

    #[test]
    fn a_star_crosses_slashes() {
        let base: BaseArn = "arn:aws:iam::123456789012:role/".parse().unwrap();
        let role = Role::resolve(Some("team/a/reader"), Some(&base)).unwrap();
        assert_eq!(allows(Some(r#"["team/*"]"#), &role, Some(&base)), Ok(()));
        assert_eq!(
            allows(Some(r#"["reader"]"#), &role, Some(&base)),
            Err(Denied::NotListed)
        );
    }

    #[rstest]
    #[case::by_name(Some(r#"["MyPod.*"]"#), Ok(()))]
    #[case::by_arn(Some(r#"["^arn:aws:iam::\\d+:role/MyPodRole$"]"#), Ok(()))]
    #[case::beginning(Some(r#"["MyPod"]"#), Err(Denied::NotListed))]
    #[case::invalid(Some(r#"["*"]"#), Err(Denied::NotListed))]
    #[case::empty_entry(Some(r#"[""]"#), Err(Denied::NotListed))]
    #[case::mixed(Some(r#"[".*",1]"#), Err(Denied::Malformed))]
    #[case::absent(None, Err(Denied::NoList))]
    fn a_list_of_expressions_is_read_as_strictly(#[case] annotation: Option<&str>, #[case] answer: Result<(), Denied>) {
        let base: BaseArn = "arn:aws:iam::123456789012:role/".parse().unwrap();
        let role = Role::resolve(Some("MyPodRole"), Some(&base)).unwrap();
        let allowed = AllowedRoles::read(annotation, RestrictionFormat::Regexp);
        assert_eq!(allowed.allow(&role, Some(&base)), answer);
    }
}
