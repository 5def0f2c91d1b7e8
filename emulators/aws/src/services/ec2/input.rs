use std::collections::BTreeMap;

use super::filter::Filter;
use crate::{answer::Refusal, authorise::Ask, params::Params, services::Call};

/// The parameters of an EC2 operation, all of which must be known.
pub(super) struct Input<'a> {
    params: &'a Params,
}

// === impl Input ===

impl<'a> Input<'a> {
    /// # Errors
    /// `UnknownParameter` for one that is not among these, nor a member of a list among these (`Filter` for
    /// `Filter.1.Name`).
    pub(super) fn of(params: &'a Params, known: &[&str]) -> Result<Self, Refusal> {
        for name in params.names() {
            let list = name.split('.').next().unwrap_or(name);
            if list != "DryRun" && !known.contains(&list) {
                return Err(unknown(name));
            }
        }
        Ok(Self { params })
    }

    /// Asks for the action on everything, which is all that descriptions can be asked for, and then ends a dry run.
    pub(super) fn check(call: &mut Call<'_>, action: &str) -> Result<(), Refusal> {
        call.gate.check(call.state, Ask::new(action, "*").shown(""))?;
        if flag(call.params, "DryRun")? {
            return Err(Refusal::new(
                412,
                "DryRunOperation",
                "Request would have succeeded, but DryRun flag is set.",
            ));
        }
        Ok(())
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        flag(self.params, name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.params.get(name)
    }

    /// The values of `NAME.1`, `NAME.2`, …, in the order of their numbers.
    pub(super) fn list(&self, name: &str) -> Result<Vec<&'a str>, Refusal> {
        let mut values = BTreeMap::new();
        for (full, rest) in self.below(name) {
            let number: u32 = rest.parse().map_err(|_| unknown(full))?;
            values.insert(number, self.params.get(full).unwrap_or_default());
        }
        Ok(values.into_values().collect())
    }

    /// `Filter.N.Name` with `Filter.N.Value.M`. All of them hold, each for any of its values.
    pub(super) fn filters(&self) -> Result<Vec<Filter>, Refusal> {
        let mut names = BTreeMap::new();
        let mut values: BTreeMap<u32, BTreeMap<u32, &str>> = BTreeMap::new();
        for (full, rest) in self.below("Filter") {
            let value = self.params.get(full).unwrap_or_default();
            let parts: Vec<&str> = rest.split('.').collect();
            let number = |text: &str| text.parse::<u32>().map_err(|_| unknown(full));
            match parts.as_slice() {
                [n, "Name"] => {
                    names.insert(number(n)?, value);
                }
                [n, "Value", m] => {
                    values.entry(number(n)?).or_default().insert(number(m)?, value);
                }
                _ => return Err(unknown(full)),
            }
        }
        if let Some(number) = values.keys().find(|number| !names.contains_key(number)) {
            return Err(Refusal::new(
                400,
                "MissingParameter",
                format!("The request must contain the parameter Filter.{number}.Name"),
            ));
        }
        names
            .into_iter()
            .map(|(number, name)| {
                let values = values.remove(&number).unwrap_or_default();
                if values.is_empty() {
                    let message = format!("The filter '{name}' must have values: give Filter.{number}.Value.1");
                    return Err(Refusal::new(400, "InvalidParameterValue", message));
                }
                Ok(Filter::new(name, values.into_values()))
            })
            .collect()
    }

    /// `MaxResults` and `NextToken`: the page's first item, and how many it may have.
    pub(super) fn page(&self) -> Result<(usize, Option<usize>), Refusal> {
        let start = match self.get("NextToken") {
            None => 0,
            Some(token) => token.parse().map_err(|_| {
                Refusal::new(
                    400,
                    "InvalidParameterValue",
                    format!("Unable to parse pagination token {token}"),
                )
            })?,
        };
        let max = match self.get("MaxResults") {
            None => None,
            Some(text) => Some(text.parse().ok().filter(|max| (5..=1000).contains(max)).ok_or_else(|| {
                Refusal::new(
                    400,
                    "InvalidParameterValue",
                    format!("Value ( {text} ) for parameter maxResults is invalid. Expecting a value between 5 and 1000."),
                )
            })?),
        };
        Ok((start, max))
    }

    /// The parameters whose names start with `NAME.`, and what follows it.
    fn below(&self, name: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let prefix = format!("{name}.");
        self.params
            .names()
            .filter_map(move |full| Some((full, full.strip_prefix(&prefix)?)))
    }
}

fn flag(params: &Params, name: &str) -> Result<bool, Refusal> {
    match params.get(name) {
        None => Ok(false),
        Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Some(text) => Err(Refusal::new(
            400,
            "InvalidParameterValue",
            format!("Value ({text}) for parameter {name} is invalid. Expecting true or false."),
        )),
    }
}

fn unknown(name: &str) -> Refusal {
    Refusal::new(
        400,
        "UnknownParameter",
        format!("The parameter {name} is not recognized"),
    )
}
