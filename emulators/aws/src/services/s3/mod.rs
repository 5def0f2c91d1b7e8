//! S3, REST with XML, path style and virtual-host style.

mod bucket;
mod call;
mod copy;
mod delete_objects;
mod listing;
mod multipart;
mod object;
mod operation;
mod part;
mod perform;
mod policy;
mod route;
mod subresource;
mod tagging;
mod xml_body;

pub(crate) use bucket::taken;
pub(crate) use call::{S3Call, S3Read};
pub(crate) use operation::{Operation, Read};
pub(crate) use perform::{perform, read};
pub(crate) use route::Route;
