//! The words every room shares: names, ids, units and wire shapes. Serde only; no I/O.

pub mod apps;
pub mod channels;
pub mod computer;
pub mod disk;
pub mod fail;
pub mod handle;
pub mod ids;
pub mod instance;
pub mod jobs;
pub mod kernel;
pub mod money;
pub mod units;

pub use disk::{DiskQuota, DiskShare};
pub use handle::{Handle, HandleError};
pub use ids::{ContainerId, IdError, Seat, SessionId, UserId};
pub use instance::{Instance, InstanceError};
pub use money::Nanos;
pub use units::Bytes;
