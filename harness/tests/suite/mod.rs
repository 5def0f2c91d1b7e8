//! A suite in a folder of its own, and how the real program is run on it.

mod temporary;

pub(crate) use temporary::{Ended, TemporarySuite};
