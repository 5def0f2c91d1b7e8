//! What a world is: brings itself up, and does what steps ask.

use std::time::Duration;

use rolecall_scenario::model::{
    Actor, Call, Credentials, Fault, Given, ImdsRequest, Journal, ProxyCommand, ProxySettings, Scenario,
};

use crate::{
    check::{self, Context, Exec, JournalEntry, Keys, Metadata},
    subject::Settings,
    world::WorldError,
};

/// Brings worlds up, one for each scenario.
pub(crate) trait Worlds: Send + Sync + 'static {
    /// The world of one scenario.
    type World: World;

    /// A world in which everything of the scenario's `given` exists and the subject is ready.
    fn bring_up(
        &self,
        scenario: &Scenario,
        settings: &Settings,
    ) -> impl Future<Output = Result<Self::World, WorldError>> + Send;

    /// Ends a world.
    fn take_down(&self, world: Self::World) -> impl Future<Output = ()> + Send;
}

/// What a scenario's steps ask of a world.
pub(crate) trait World: Send + Sync {
    /// How much of bringing it up was not the applying of what is `given`: a place was made for the scenario before its first
    /// apply, and the subject took longer to start than the rest.
    fn settled(&self) -> Duration;

    /// The defaults of `within` and `throughout` here.
    fn patience(&self) -> Patience;

    /// Name of the nodes' IAM role.
    fn node_role(&self) -> String;

    /// Name of the masters' IAM role.
    fn master_role(&self) -> String;

    /// The operator changes what exists.
    fn apply(&self, given: &Given, proxy: &ProxySettings) -> impl Future<Output = Result<(), WorldError>> + Send;

    /// The operator deletes a pod; returns when it is gone.
    fn delete(&self, pod: &str, grace: Duration) -> impl Future<Output = Result<(), WorldError>> + Send;

    /// The operator deletes a pod and makes it anew on the same node, with another UID and address.
    fn recreate(&self, pod: &str, grace: Duration) -> impl Future<Output = Result<(), WorldError>> + Send;

    /// The operator stops, kills or starts the subject.
    fn proxy(&self, command: &ProxyCommand) -> impl Future<Output = Result<(), WorldError>> + Send;

    /// Moves whatever has a clock that can be moved; returns when each has confirmed.
    fn advance(&self, by: Duration) -> impl Future<Output = Result<(), WorldError>> + Send;

    /// Begins a fault.
    fn inject(&self, fault: &Fault) -> impl Future<Output = Result<(), WorldError>> + Send;

    /// Ends the faults of a service and tells what they did.
    fn heal(&self, service: &str) -> impl Future<Output = Result<FaultEnd, WorldError>> + Send;

    /// The access key of a user, by the name that `using:` has for it.
    fn user_keys(&self, name: &str) -> Option<Keys>;

    /// A pod or node asks the metadata service, `volley` times at the same moment; as many answers come back.
    fn metadata(
        &self,
        actor: &Actor,
        task: &MetadataTask<'_>,
        volley: usize,
        context: &Context,
    ) -> impl Future<Output = Result<Vec<Metadata>, WorldError>> + Send;

    /// A pod, a node or (with neither) the operator makes one AWS call.
    fn call(
        &self,
        actor: Option<&Actor>,
        call: &Call,
        keys: Option<&Keys>,
    ) -> impl Future<Output = Result<check::Call, WorldError>> + Send;

    /// A program runs in a pod.
    fn exec(&self, actor: &Actor, words: &[String]) -> impl Future<Output = Result<Exec, WorldError>> + Send;

    /// How many requests are recorded by now.
    ///
    /// # Errors
    /// A recorder does not answer.
    fn journal_mark(&self) -> impl Future<Output = Result<JournalMark, WorldError>> + Send;

    /// The recorded requests that the step selects, from a mark on.
    fn journal(
        &self,
        journal: &Journal,
        from: JournalMark,
        context: &Context,
    ) -> impl Future<Output = Result<Vec<JournalEntry>, WorldError>> + Send;

    /// The subject's metrics, on one node or on all.
    fn metrics(&self, node: Option<&str>) -> impl Future<Output = Result<String, WorldError>> + Send;

    /// What a person wants to read of a scenario that failed: files by name, in the order of their names.
    fn diagnose(&self) -> impl Future<Output = Diagnostics> + Send;

    /// How a person enters the world while it stands: one line for each host or service.
    fn doors(&self) -> Vec<String>;

    /// The subject's own words, on one node or on all.
    fn log(&self, node: Option<&str>) -> impl Future<Output = Result<String, WorldError>> + Send;
}

/// What is asked of the metadata service.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MetadataTask<'a> {
    /// A walk as an SDK does it.
    Walk(&'a Credentials),
    /// One request, byte for byte.
    Raw(&'a ImdsRequest),
}

/// What was collected of a world before it was taken down: file names and texts. Secrets are still in them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Diagnostics(pub(crate) Vec<(String, String)>);

/// What the faults of a service did until they were healed, all together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FaultEnd {
    /// Requests that met one.
    pub(crate) met: u32,
    /// Requests that were still to meet one that had a number of times.
    pub(crate) left: u32,
}

/// Default times of a world, in real time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) within: Duration,
    pub(crate) throughout: Duration,
    /// Between two askings.
    pub(crate) interval: Duration,
}

/// How many requests each recorder of a world had seen at some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct JournalMark {
    /// The AWS front.
    pub(crate) front: u64,
    /// The metadata service.
    pub(crate) imds: u64,
    /// The API server.
    pub(crate) kubernetes: u64,
    /// Vault.
    pub(crate) vault: u64,
}
