//! What steps save, and who uses it.

use std::collections::BTreeSet;

use super::names::{Names, Saved, Use};
use crate::{
    ScenarioError,
    nearest::{list, nearest},
    words::NameKind,
};

// === impl Names ===

impl Names {
    pub(super) fn unsaved(&self, used: &Use) -> Option<ScenarioError> {
        let name = used.name.value.as_str();
        let keys = self.made.get(&NameKind::Keys);
        if used.kind == NameKind::Keys && keys.is_some_and(|keys| keys.contains_key(name)) {
            return None;
        }
        let user = self.made.get(&NameKind::User).and_then(|users| users.get(name));
        if let (NameKind::Keys, Some(user)) = (used.kind, user) {
            let error = ScenarioError::new(format!("`{name}` is a user, not keys"), used.name.span.clone(), {
                "expected the name that the user's `access_key` gives them"
            });
            return Some(error.other(user.clone(), "the user"));
        }
        let same: Vec<&Saved> = self.saved.iter().filter(|saved| saved.name.value == name).collect();
        let earlier = |saved: &&&Saved| used.step.is_none_or(|step| saved.step < step);
        if same.iter().filter(earlier).any(|saved| saved.kind == used.kind) {
            return None;
        }
        let at = used.name.span.clone();
        if let Some(saved) = same.iter().find(|saved| earlier(saved)) {
            let what = if saved.kind == NameKind::Keys {
                "keys, not a token"
            } else {
                "a token, not keys"
            };
            let error = ScenarioError::new(format!("`{name}` is {what}"), at, "saved as something else");
            return Some(error.other(saved.name.span.clone(), "saved here"));
        }
        if let Some(saved) = same.first() {
            let error = ScenarioError::new(format!("`{name}` is not saved yet"), at, "used before it is saved");
            return Some(error.other(saved.name.span.clone(), "saved only here"));
        }
        let known: BTreeSet<&str> = self
            .saved
            .iter()
            .map(|saved| saved.name.value.as_str())
            .chain(keys.into_iter().flatten().map(|(name, _)| name.as_str()))
            .collect();
        let label = match nearest(name, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "no step saves it".to_owned(),
        };
        let help = format!("saved here: {}", list(known));
        Some(ScenarioError::new(format!("nothing is saved as `{name}`"), at, label).help(help))
    }

    /// A saved name that is also the name of a user's access key: `using` could mean either.
    pub(super) fn saved_over(&self, saved: &Saved) -> Option<ScenarioError> {
        let name = saved.name.value.as_str();
        let key = self.made.get(&NameKind::Keys)?.get(name)?;
        let error = ScenarioError::new(
            format!("`{name}` is saved twice"),
            saved.name.span.clone(),
            "saved again",
        );
        Some(error.other(key.clone(), "a user's access key has this name"))
    }

    pub(super) fn unused(&self, saved: &Saved) -> Option<ScenarioError> {
        let kept = |used: &&Use| matches!(used.kind, NameKind::Keys | NameKind::Token);
        if self
            .used
            .iter()
            .filter(kept)
            .any(|used| used.name.value == saved.name.value)
        {
            return None;
        }
        let title = format!("`{}` is saved and never used", saved.name.value);
        let error = ScenarioError::new(title, saved.name.span.clone(), "no later step names it");
        Some(error.help("name it in `using`, `same_key_as`, `new_key_since` or `token`, or leave `save` out"))
    }
}
