//! The kind world: a cluster of kind's with real kubelets, LocalStack behind the AWS front, and the subject as a DaemonSet.
//! One cluster for a run, and in it one scenario after the other.

mod asking;
mod canary;
mod cluster;
mod command;
mod containers;
mod daemon_set;
mod diagnose;
mod examine;
mod exec;
mod faults;
mod fleet;
mod ground;
mod images;
mod inotify;
mod issuer;
mod journal;
mod ledger;
mod marks;
mod node_pods;
mod options;
mod pause;
mod require;
mod routes;
mod scratch;
mod shell;
mod subject_admin;
mod subject_log;
mod sweep;
mod tidy;
mod unmake;
mod vault;
mod vault_container;
mod world;
mod worlds;

pub(crate) use examine::{Finding, examine};
pub(crate) use ground::{Images, KindGround, Wanted};
pub(crate) use marks::Marks;
pub(crate) use options::{KindOptions, LOCALSTACK_IMAGE, NODE_IMAGE, NODES_READY};
pub(crate) use pause::pause;
pub(crate) use require::require;
pub(crate) use scratch::remove as remove_scratch;
pub(crate) use shell::{is_shell, shell};
pub(crate) use sweep::{Left, left, of_run};
pub(crate) use world::KindWorld;
pub(crate) use worlds::{KindWorlds, capabilities, unable, wants_programs, wants_vault};
