//! What one run stands on: the cluster, the containers beside it, the images on its nodes, and the canary that came back.

use std::{collections::BTreeMap, net::Ipv4Addr, sync::Arc, time::Duration};

use rolecall_clock::{monotonic, since};
use rolecall_scenario::model::Scenario;
use tokio::sync::Mutex;

use super::{
    audit, canary,
    cluster::KindCluster,
    containers::{AWS_PORT, CONTROL_PORT, Containers, FrontSecrets, OPERATOR_PORT},
    daemon_set, images,
    marks::Marks,
    node_pods,
    options::KindOptions,
    routes, tidy,
    vault::VaultGround,
};
use crate::{
    check::Keys,
    serve::control::ControlClient,
    subject::{Settings, Subject},
    world::{
        WorldError,
        random::{random_key, random_text},
    },
};

const FRONT_READY: Duration = Duration::from_secs(30);

/// The images of a run.
#[derive(Clone, Debug)]
pub(crate) struct Images {
    pub(crate) proxy: String,
    /// Front, metadata service and probe.
    pub(crate) tools: String,
}

/// What a run's scenarios have in common.
pub(crate) struct KindGround {
    pub(super) options: KindOptions,
    pub(super) marks: Marks,
    pub(super) subject: Subject,
    pub(super) images: Images,
    pub(super) cluster: KindCluster,
    pub(super) containers: Mutex<Option<Containers>>,
    pub(super) control: ControlClient,
    /// Where pods and proxies find AWS.
    pub(super) endpoint: String,
    /// Where the operator finds it.
    pub(super) operator: String,
    /// Vault, where a scenario has to do with it.
    pub(super) vault: Option<VaultGround>,
    /// Where the subject finds the API server: the front, which passes its connections on.
    pub(super) api_server: Ipv4Addr,
    /// What moving the subject's clock wants.
    pub(super) clock_token: String,
    /// How pods were intercepted last; `None` before the first scenario.
    intercept: Mutex<Option<Option<String>>>,
    /// Whether the API server writes an audit log.
    audited: bool,
    /// What was really run: Kubernetes, kind, LocalStack, Vault.
    pub(crate) versions: BTreeMap<String, String>,
}

/// What the scenarios of a run want beside what every run has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    /// Further programs in pods.
    pub(crate) programs: bool,
    pub(crate) vault: bool,
}

/// Says how a phase went: what was done, and how long it took.
pub(crate) type Say<'a> = &'a (dyn Fn(&str, Duration) + Send + Sync);

// === impl KindGround ===

impl KindGround {
    /// Brings up what scenarios run on, where all is here that [`require`](super::require()) wants. What it has made when it fails, or is dropped, is found by its marks.
    ///
    /// # Errors
    /// What is missing or went wrong, and what to do; or the canary was let through.
    pub(crate) async fn prepare(
        options: KindOptions,
        subject: Subject,
        images: impl Future<Output = Result<Images, WorldError>> + Send,
        wanted: Wanted,
        marks: Marks,
        say: Say<'_>,
    ) -> Result<Arc<Self>, WorldError> {
        let start = monotonic();
        let (cluster, images) = tokio::try_join!(
            async {
                let cluster = KindCluster::bring_up(&options, &marks).await?;
                say("cluster", since(start));
                Ok::<_, WorldError>(cluster)
            },
            async {
                let images = images.await?;
                say("images", since(start));
                Ok::<_, WorldError>(images)
            },
        )?;
        let secrets = FrontSecrets {
            root_key: root_key(&random_key()),
            control_token: random_text('a', 32),
        };
        let start = monotonic();
        let (containers, (), (), audited) = tokio::try_join!(
            async {
                let api_server = cluster.master()?.address;
                let containers = Containers::start(&images.tools, wanted.vault, &secrets, api_server, &marks).await?;
                let what = match wanted.vault {
                    true => "LocalStack, Vault and front",
                    false => "LocalStack and front",
                };
                say(what, since(start));
                Ok::<_, WorldError>(containers)
            },
            async {
                let (all, workers): (Vec<_>, Vec<_>) = (cluster.nodes.iter().collect(), cluster.workers().collect());
                images::load(&cluster, &all, &images.tools).await?;
                images::load(&cluster, &workers, &images.proxy).await?;
                if wanted.programs {
                    images::load(&cluster, &workers, &options.aws_cli_image).await?;
                }
                say("images on the nodes", since(start));
                Ok(())
            },
            daemon_set::grant(&cluster.client, &marks),
            audit::is_written(&cluster),
        )?;
        let control = format!("http://{}:{CONTROL_PORT}", containers.front());
        let steer = |error: &dyn std::error::Error| WorldError::doing("steer the AWS front", error);
        let control = ControlClient::new(&control, secrets.control_token.into()).map_err(|error| steer(&error))?;
        let (endpoint, operator) = if options.without_front {
            let localstack = format!("http://{}:{AWS_PORT}", containers.localstack());
            (localstack.clone(), localstack)
        } else {
            let at = |port: u16| format!("http://{}:{port}", containers.front());
            (at(AWS_PORT), at(OPERATOR_PORT))
        };
        let mut versions = cluster.versions.clone();
        versions.insert("localstack".to_owned(), containers.localstack_version.clone());
        if let Some(vault) = &containers.vault {
            versions.insert("vault".to_owned(), vault.version.clone());
        }
        let environment = environment(&endpoint, "us-east-1");
        let start = monotonic();
        let ((), (), (), vault) = tokio::try_join!(
            routes::lay(
                &cluster,
                &containers,
                &options.node_image,
                !options.without_front,
                &marks
            ),
            node_pods::make(&cluster, &images.tools, &environment, &marks),
            async {
                control
                    .ready(FRONT_READY)
                    .await
                    .map(drop)
                    .map_err(|error| steer(&error))
            },
            VaultGround::of(&cluster, &containers, &endpoint, &marks),
        )?;
        say("ways between pods and containers", since(start));
        let ground = Arc::new(Self {
            clock_token: random_text('a', 32),
            api_server: containers.front(),
            containers: Mutex::new(Some(containers)),
            options,
            marks,
            subject,
            images,
            cluster,
            control,
            endpoint,
            operator,
            vault,
            intercept: Mutex::default(),
            audited,
            versions,
        });
        let start = monotonic();
        canary::sing(&ground).await?;
        say("canary", since(start));
        Ok(ground)
    }

    /// Why a scenario cannot be run in this cluster, as far as it is not known before there is one.
    pub(crate) fn unable(&self, scenario: &Scenario) -> Option<String> {
        let name = &self.cluster.name;
        (audit::wants_audit(scenario) && !self.audited).then(|| {
            format!(
                "the API server of the cluster {name} writes no audit log, so nothing records `journal: kubernetes:*`; the cluster \
                 was made by an earlier version or from another kind-config.yaml: delete it, and the next run makes one that does \
                 (kind delete cluster --name {name})"
            )
        })
    }

    /// Ends what the run stood on: all of it, or (in a cluster that stays) what would outlive the subject.
    ///
    /// # Errors
    /// What could not be removed; `sweep` will find it.
    pub(crate) async fn end(&self) -> Result<(), WorldError> {
        let containers = self.containers.lock().await.take();
        let keep = self.options.keep;
        let (cluster, containers) = tokio::join!(
            async {
                if self.cluster.passing {
                    return super::unmake::delete(&self.cluster.name).await;
                }
                if keep {
                    return Ok(());
                }
                tidy::leave(self).await?;
                node_pods::uninstall(&self.cluster, &self.images.proxy, &self.marks).await?;
                routes::lift(&self.cluster).await?;
                tidy::remove_ours(&self.cluster).await
            },
            async {
                match containers {
                    Some(containers) => containers.end(keep).await,
                    None => Ok(()),
                }
            },
        );
        cluster.and(containers)
    }

    /// Takes the rule of a subject away before it is to intercept in another way.
    ///
    /// # Errors
    /// It stays.
    pub(super) async fn change_interception(&self, settings: &Settings) -> Result<(), WorldError> {
        let mut last = self.intercept.lock().await;
        if last.as_ref().is_some_and(|last| *last != settings.intercept) {
            tidy::stop_subject(self).await?;
            node_pods::uninstall(&self.cluster, &self.images.proxy, &self.marks).await?;
        }
        *last = Some(settings.intercept.clone());
        Ok(())
    }
}

/// `ID:SECRET`
pub(super) fn root_key(keys: &Keys) -> String {
    format!("{}:{}", keys.access_key_id, keys.secret_access_key)
}

/// What a pod's programs need to find AWS.
pub(super) fn environment(endpoint: &str, region: &str) -> Vec<(String, String)> {
    let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    vec![
        variable("AWS_ENDPOINT_URL", endpoint),
        variable("AWS_REGION", region),
        variable("AWS_DEFAULT_REGION", region),
        // An image need not have a home.
        variable("HOME", "/tmp"),
        variable("LANG", "C.UTF-8"),
    ]
}
