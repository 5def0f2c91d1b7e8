//! Container images without a Dockerfile and without a registry.
//!
//! An image here is one static program on an empty file system. It is put together in this process, is the same byte for
//! byte whenever the program is, and goes into Docker by `docker load` and from there into a kind cluster.

mod archive;
mod args;
mod build;
mod command;
mod contents;
mod docker;
mod elf;
mod error;
mod layer;

pub(crate) use archive::Image;
pub(crate) use args::{ImageArgs, image};
pub(crate) use build::{build_static, find_checkout};
pub(crate) use contents::Contents;
pub(crate) use docker::{load_into_docker, load_into_kind};
pub(crate) use error::ImageError;
