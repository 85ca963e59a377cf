//! Containers as values: what may be asked of the launcher, what a confined container is, and what it uses.

pub mod cgroups;
#[cfg(feature = "net")]
pub mod client;
pub mod limits;
pub mod policy;
pub mod protocol;
pub mod seccomp;
pub mod stats;
pub mod wire;
