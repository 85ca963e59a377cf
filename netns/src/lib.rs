//! The network of the computers, `matrixos-net`: leases and firewall as a pure plan; apply; observe.

pub mod lease;

pub use lease::{Lease, Network};
