//! One client asks one AWS the whole flow.

use std::{collections::BTreeMap, time::Duration};

use rolecall_clock::{monotonic, since};
use serde_json::{Value, json};

use crate::{
    driver::{Answer, Call, Driver, Keys, Refusal},
    plain,
    rust_sdk::RUNTIME,
    served::Served,
    step::{Ask, Expected, Signer, Step},
};

/// How long what comes true with time may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What became of a step, the same for all runs: what is of one run alone is replaced by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// Done, but the answer says something else than it should.
    Says(String),
    Refused(Refusal),
    /// It could not be asked.
    Failed(String),
}

struct Run<'a> {
    served: &'a Served,
    driver: &'a mut dyn Driver,
    keys: BTreeMap<&'static str, Keys>,
    links: BTreeMap<&'static str, String>,
}

/// Asks all steps, whatever becomes of them, so that the last ones remove what the first ones made.
pub(crate) fn run(steps: &[Step], served: &Served, driver: &mut dyn Driver) -> Vec<Outcome> {
    let keys = [("root", served.root.clone()), ("partner", served.partner_root.clone())];
    let mut run = Run {
        served,
        driver,
        keys: keys.into(),
        links: BTreeMap::new(),
    };
    steps.iter().map(|step| run.step(step)).collect()
}

/// The link with one digit of its signature changed.
fn forged(link: &str) -> Option<String> {
    let at = link.find("X-Amz-Signature=")? + "X-Amz-Signature=".len();
    let other = if link.get(at..=at)? == "0" { "1" } else { "0" };
    let mut link = link.to_owned();
    link.replace_range(at..=at, other);
    Some(link)
}

// === impl Outcome ===

impl Outcome {
    /// Whether it is what AWS says.
    pub(crate) fn is(&self, expected: Expected) -> bool {
        match (self, expected) {
            (Self::Done, Expected::Done | Expected::Says(..) | Expected::Nothing(_)) => true,
            (Self::Refused(refusal), Expected::Refused(status, code)) => {
                refusal.status == status && refusal.code == code
            }
            _ => false,
        }
    }
}

// === impl Run ===

impl Run<'_> {
    fn step(&mut self, step: &Step) -> Outcome {
        let started = monotonic();
        loop {
            let outcome = self.once(step).unwrap_or_else(Outcome::Failed);
            if !step.comes || outcome.is(step.expected) || since(started) > PATIENCE {
                return outcome;
            }
            RUNTIME.block_on(async { tokio::time::sleep(Duration::from_millis(100)).await });
        }
    }

    fn once(&mut self, step: &Step) -> Result<Outcome, String> {
        let answer = match &step.ask {
            Ask::Operation(name, params) => self.operation(step.by, name, params)?,
            Ask::Open(name) => plain::open(self.link(name)?)?,
            Ask::OpenForged(name) => plain::open(&forged(self.link(name)?).ok_or("a link without a signature")?)?,
            Ask::Advance(seconds) => {
                self.served.advance(*seconds)?;
                Answer::Done(json!({}))
            }
        };
        let answer = match answer {
            Answer::Done(answer) => answer,
            Answer::Refused(refusal) => {
                let message = self.named(&refusal.message);
                return Ok(Outcome::Refused(Refusal { message, ..refusal }));
            }
        };
        if let Some(name) = step.keep {
            if let Some(keys) = Keys::of(&answer) {
                self.keys.insert(name, keys);
            } else if let Some(link) = answer["Url"].as_str() {
                self.links.insert(name, link.to_owned());
            } else {
                return Err("an answer without keys".to_owned());
            }
        }
        let (at, wanted) = match step.expected {
            Expected::Says(at, wanted) => (at, Some(self.filled(wanted)?)),
            Expected::Nothing(at) => (at, None),
            Expected::Done | Expected::Refused(..) => return Ok(Outcome::Done),
        };
        let said = answer.pointer(at);
        let as_wanted = match &wanted {
            Some(wanted) => said.and_then(Value::as_str) == Some(wanted),
            None => said.and_then(Value::as_array).is_none_or(Vec::is_empty),
        };
        if as_wanted {
            return Ok(Outcome::Done);
        }
        let said = said.map_or_else(|| "nothing".to_owned(), Value::to_string);
        Ok(Outcome::Says(self.named(&format!("{at} is {said}"))))
    }

    fn operation(&mut self, by: Signer, name: &'static str, params: &Value) -> Result<Answer, String> {
        let (service, operation) = name.split_once(':').ok_or("an operation without a service")?;
        let call = Call {
            endpoint: self.served.endpoint.clone(),
            service,
            operation,
            params: self.filled_in(params)?,
            keys: self.signer(by)?,
        };
        self.driver.ask(&call)
    }

    fn signer(&self, by: Signer) -> Result<Option<Keys>, String> {
        let (Signer::Keys(name)
        | Signer::WrongSecret(name)
        | Signer::WrongToken(name)
        | Signer::NoToken(name)
        | Signer::UnknownKey(name)) = by
        else {
            return Ok(None);
        };
        let mut keys = self.keys.get(name).ok_or(format!("no keys of {name}"))?.clone();
        match by {
            Signer::WrongSecret(_) => keys.secret.push('x'),
            Signer::WrongToken(_) => keys.token = keys.token.map(|token| format!("x{token}")),
            Signer::NoToken(_) => keys.token = None,
            Signer::UnknownKey(_) => "AKIAAAAAAAAAAAAAAAAA".clone_into(&mut keys.id),
            Signer::Nobody | Signer::Keys(_) => {}
        }
        Ok(Some(keys))
    }

    fn link(&self, name: &str) -> Result<&str, String> {
        let link = self.links.get(name).ok_or(format!("there is no {name}"))?;
        Ok(link)
    }

    /// What is of this run alone, by name.
    fn names(&self) -> Vec<(String, String)> {
        let served = self.served;
        let mut names = vec![
            ("{bucket}".to_owned(), format!("flow-{}", served.account)),
            ("{other}".to_owned(), format!("flow-{}", served.partner)),
            ("{account}".to_owned(), served.account.clone()),
            ("{partner}".to_owned(), served.partner.clone()),
        ];
        let keys = self.keys.iter();
        names.extend(keys.map(|(name, keys)| (format!("{{key of {name}}}"), keys.id.clone())));
        names
    }

    /// A text of the table as this run means it.
    fn filled(&self, text: &str) -> Result<String, String> {
        let filled = self
            .names()
            .into_iter()
            .fold(text.to_owned(), |text, (name, value)| text.replace(&name, &value));
        match filled.find("{key of ") {
            Some(at) => Err(format!("nothing was kept for {}", &filled[at..])),
            None => Ok(filled),
        }
    }

    fn filled_in(&self, params: &Value) -> Result<Value, String> {
        Ok(match params {
            Value::String(text) => self.filled(text)?.into(),
            Value::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), self.filled_in(value)?)));
                Value::Object(fields.collect::<Result<_, String>>()?)
            }
            other => other.clone(),
        })
    }

    /// A text of this run with the table's names.
    fn named(&self, text: &str) -> String {
        self.names()
            .into_iter()
            .fold(text.to_owned(), |text, (name, value)| text.replace(&value, &name))
    }
}
