//! What the platform knows and decides. No HTTP server, no libcontainer, no database types.

pub mod accounts;
pub mod channels;
pub mod clock;
pub mod containers;
mod key_file;
pub mod meter;
pub mod relay;
mod seal;

pub use matrixos_store as store;
