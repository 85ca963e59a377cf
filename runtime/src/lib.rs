//! Containers as values: what a confined container is, what it uses, and what may be asked of the launcher.

pub mod cgroups;
pub mod client;
pub mod frames;
pub mod protocol;
pub mod seccomp;
pub mod spec;
pub mod stats;
pub mod sys;
pub mod wire;
