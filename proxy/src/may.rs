//! Whether a namespace allows a role: the list in its annotation.

mod glob;

use crate::which::{BaseArn, Role};

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

/// Decides whether a namespace with this annotation allows `role`. An entry is a glob over the role's ARN; one that
/// does not begin with `arn:` is taken to follow the base ARN, so that a name, or `*`, never reaches into another
/// account. Without a base ARN there are no names, and every entry is a glob over the whole ARN.
///
/// # Errors
/// Whenever the annotation does not say yes.
pub fn allows(annotation: Option<&str>, role: &Role, base: Option<&BaseArn>) -> Result<(), Denied> {
    let text = annotation
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .ok_or(Denied::NoList)?;
    let entries: Vec<String> = serde_json::from_str(text).map_err(|_| Denied::Malformed)?;
    if entries.is_empty() {
        return Err(Denied::NoList);
    }
    let listed = entries
        .iter()
        .map(|entry| entry.trim())
        .filter(|entry| !entry.is_empty())
        .any(|entry| match base {
            Some(base) if !entry.starts_with("arn:") => {
                let name = entry.strip_prefix('/').unwrap_or(entry);
                role.arn
                    .strip_prefix(base.as_str())
                    .is_some_and(|tail| glob(name, tail))
            }
            _ => glob(entry, &role.arn),
        });
    if listed { Ok(()) } else { Err(Denied::NotListed) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

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
}
