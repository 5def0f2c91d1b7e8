//! An AWS front that authenticates and authorises every request.
//!
//! One port plays one AWS account, or several: IAM, STS, S3, what EC2 tells of instances and regions and the list of
//! Elasticsearch domains, as far as metadata proxies, the pods behind them and the tools around them use them. What no emulator that is free does is done here for every request:
//! the signature, the session token, the key's expiry and the date are verified, the policies decide, and what was decided
//! is kept with its reasons under the id that the answer carries.
//!
//! ```text
//! parse auth → find key → signature, token, expiry, skew → action + resource → evaluate → backend → journal
//! ```
//!
//! * What is not implemented is refused: an operation as AWS refuses one that does not exist, a parameter or header with a
//!   message that says so, a policy element when the policy is stored. Nothing is silently ignored.
//! * The world's clock decides expiry at the moment of the request.
//! * A [`Front`] is made with [`Settings`], serves any number of listeners, and is asked for its [journal](Front::journal)
//!   and its [decisions](Front::decision).

mod answer;
mod auth;
mod authorise;
mod decision;
mod fault;
mod front;
mod identity;
mod journal;
mod managed;
mod params;
mod request;
mod secret;
mod service;
mod services;
mod state;
mod upstream;
mod web_identity;

pub use decision::{Attachment, DecisionRecord, Verdict};
pub use fault::{Fault, FaultRecord};
pub use front::{Account, AccountsError, Ec2Instance, Enforcement, Front, InstanceCredentialsError, Settings};
pub use identity::{Caller, SessionCredentials};
pub use journal::{Door, Dropped, Entry};
pub use managed::managed_policy_names;
pub use rolecall_accept::CancellationToken;
pub use secret::{AccessKey, Secret};
pub use upstream::{RemoveError, Upstream, UpstreamUrlError};
pub use web_identity::{IssuerKeys, IssuerKeysError, JwksFuture};
