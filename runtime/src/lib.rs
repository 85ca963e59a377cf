//! Containers as values: what may be asked of the launcher, what a confined container is, and what it uses.

pub mod protocol;
