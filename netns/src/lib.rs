//! The network of the computers, `matrixos-net`: leases and firewall as a pure plan; apply; observe.

pub mod apply;
pub mod lease;
mod netlink;
pub mod observe;
pub mod plan;

pub use lease::{Lease, Network, PoolError};
pub use netlink::NetError;
