//! The AWS that is asked: `rolecall serve aws` in a process of its own, or LocalStack alone.

use std::{
    hash::{BuildHasher, RandomState},
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::json;

use crate::{driver::Keys, plain};

/// An AWS with two accounts that nobody else has.
pub(crate) struct Served {
    pub(crate) endpoint: String,
    pub(crate) account: String,
    pub(crate) partner: String,
    pub(crate) root: Keys,
    pub(crate) partner_root: Keys,
    /// The process and its control listener; none for LocalStack alone.
    front: Option<Front>,
}

struct Front {
    program: Child,
    control: String,
    token: String,
}

/// Digits that nobody else has.
fn number(digits: u32) -> String {
    let number = RandomState::new().hash_one(digits) % 10_u64.pow(digits);
    format!("{number:0width$}", width = digits as usize)
}

// === impl Served ===

impl Served {
    /// `rolecall serve aws`, with its memory or with another AWS behind it.
    ///
    /// # Errors
    /// It does not serve.
    pub(crate) fn front(upstream: Option<&str>) -> Result<Self, String> {
        let (account, partner) = (number(12), number(12));
        let (root, partner_root) = (root("AKIAROOT"), root("AKIAPARTNER"));
        let token = number(18);
        let mut command = Command::new(env!("CARGO_BIN_EXE_rolecall"));
        command
            .args(["serve", "aws", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"])
            .args(["--account", &account])
            .args(upstream.into_iter().flat_map(|url| ["--upstream", url]))
            .env("ROLECALL_ROOT_KEY", format!("{}:{}", root.id, root.secret))
            .env("ROLECALL_CONTROL_TOKEN", &token)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut program = command.spawn().map_err(|error| error.to_string())?;
        let out = program.stdout.take();
        let mut front = Front {
            program,
            control: String::new(),
            token,
        };
        let mut endpoint = String::new();
        for line in BufReader::new(out.ok_or("a child without a pipe")?).lines() {
            let line = line.map_err(|error| error.to_string())?;
            let said = line.split_once(" on ");
            // What is behind it may be told after a comma.
            match said.and_then(|(what, url)| Some((what, url.split([',', ' ']).next()?))) {
                Some((what, url)) if what.starts_with("serving AWS") => url.clone_into(&mut endpoint),
                Some((_, url)) => url.clone_into(&mut front.control),
                None => {}
            }
            if line.starts_with("ready") {
                break;
            }
        }
        if endpoint.is_empty() || front.control.is_empty() {
            return Err("rolecall serve aws ended before it served".to_owned());
        }
        let further = json!([{"id": partner, "root_key": format!("{}:{}", partner_root.id, partner_root.secret)}]);
        plain::tell(&front.control, &front.token, "reset", &json!({"accounts": further}))?;
        Ok(Self {
            endpoint,
            account,
            partner,
            root,
            partner_root,
            front: Some(front),
        })
    }

    /// Nothing before an AWS that takes a key's id for the account.
    pub(crate) fn alone(url: &str) -> Self {
        let (account, partner) = (number(12), number(12));
        Self {
            endpoint: url.trim_end_matches('/').to_owned(),
            root: root(&account),
            partner_root: root(&partner),
            account,
            partner,
            front: None,
        }
    }

    /// Moves the world's time.
    pub(crate) fn advance(&self, seconds: u64) -> Result<(), String> {
        let front = self.front.as_ref().ok_or("its time cannot be moved")?;
        let by = json!({"by_ms": seconds * 1000});
        plain::tell(&front.control, &front.token, "clock/advance", &by)
    }
}

fn root(id: &str) -> Keys {
    Keys {
        id: id.to_owned(),
        secret: number(18),
        token: None,
    }
}

// === impl Front ===

impl Drop for Front {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
