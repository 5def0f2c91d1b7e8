use crate::answer::Refusal;

/// A parameter's rule: its name in messages, its length, and its characters besides letters and digits.
pub(super) struct Rule {
    pub(super) member: &'static str,
    pub(super) length: std::ops::RangeInclusive<usize>,
    pub(super) others: &'static str,
    pub(super) pattern: &'static str,
}

// === impl Rule ===

impl Rule {
    pub(super) fn check(&self, value: &str) -> Result<(), Refusal> {
        let constraint = if value.len() < *self.length.start() {
            format!(
                "Member must have length greater than or equal to {}",
                self.length.start()
            )
        } else if value.len() > *self.length.end() {
            format!("Member must have length less than or equal to {}", self.length.end())
        } else if !value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || self.others.contains(c))
        {
            format!("Member must satisfy regular expression pattern: {}", self.pattern)
        } else {
            return Ok(());
        };
        Err(Refusal::validation(format!(
            "1 validation error detected: Value '{value}' at '{}' failed to satisfy constraint: {constraint}",
            self.member
        )))
    }
}
