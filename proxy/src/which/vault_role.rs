use std::fmt;

/// A role of Vault's AWS secrets engine, by its name there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VaultRole(String);

/// The text is no name that a role of Vault's AWS secrets engine can have.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("not the name of a Vault role: letters, digits, _ . @ and -, of which the last three neither first nor last")]
pub struct InvalidVaultRole;

/// Longest name that is taken, in bytes. Vault itself knows no limit but that of a storage key.
const LONGEST: usize = 256;

// === impl VaultRole ===

impl VaultRole {
    /// Reads a name, with white space around it cut off. What is no name there (Vault's pattern is
    /// `\w(([\w-.@]+)?\w)?`) never becomes part of a path.
    ///
    /// # Errors
    /// If Vault could have no such role.
    pub fn new(text: &str) -> Result<Self, InvalidVaultRole> {
        let name = text.trim();
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let bytes = name.as_bytes();
        let framed = bytes.first().is_some_and(word) && bytes.last().is_some_and(word);
        let inner = bytes.iter().all(|byte| word(byte) || b".@-".contains(byte));
        if framed && inner && bytes.len() <= LONGEST {
            Ok(Self(name.to_owned()))
        } else {
            Err(InvalidVaultRole)
        }
    }

    /// The name: one path segment that needs no escaping.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VaultRole {
    /// `vault:<name>`: what namespaces' lists, the log and metrics see.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vault:{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("readonly", true)]
    #[case(" readonly\n", true)]
    #[case("a", true)]
    #[case("team-a.read@prod_1", true)]
    #[case("", false)]
    #[case("-a", false)]
    #[case("a.", false)]
    #[case("..", false)]
    #[case("a/b", false)]
    #[case("../sys/seal", false)]
    #[case("a?ttl=1", false)]
    #[case("a%2fb", false)]
    #[case("rôle", false)]
    #[case("a b", false)]
    #[case("a\r\nX: 1", false)]
    fn a_vault_role_is_one_plain_path_segment(#[case] text: &str, #[case] taken: bool) {
        assert_eq!(VaultRole::new(text).is_ok(), taken);
    }

    #[test]
    fn a_name_that_is_too_long_is_none() {
        assert!(VaultRole::new(&"a".repeat(LONGEST)).is_ok());
        assert!(VaultRole::new(&"a".repeat(LONGEST + 1)).is_err());
    }
}
