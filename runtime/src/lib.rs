//! Containers as values: what may be asked of the launcher, what a confined container is, and what it uses.

pub mod cgroups;
#[cfg(feature = "net")]
pub mod client;
pub mod limits;
pub mod protocol;
pub mod stats;
pub mod wire;
