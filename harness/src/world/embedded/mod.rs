//! The embedded world: a network of namespaces in this process, the emulators in its vpc, the subject as a process in
//! each worker's namespace, and a process in a pod's namespace for everything that the pod does.

mod asking;
mod aws_names;
mod cloud;
mod diagnose;
mod faults;
mod graveyard;
mod ground;
mod instances;
mod issuer;
mod journal;
mod network;
mod pods;
mod probe;
mod subject;
mod subject_admin;
mod vault;
mod world;
mod worlds;

pub(crate) use graveyard::Graveyard;
pub(crate) use ground::Ground;
pub(crate) use world::EmbeddedWorld;
pub(crate) use worlds::{EmbeddedWorlds, capabilities};
