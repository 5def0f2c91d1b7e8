//! What loads and yet cannot be meant: expectations that contradict themselves, or that no world could meet or miss.

mod expectations;
mod times;
mod warning;
mod world;

pub use warning::{Warning, warnings};
