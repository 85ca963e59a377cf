//! The byte mover between browsers and computers. Knows HTTP and addresses, but no users: whoever calls it has decided.

pub mod authority;
pub mod forward;
mod frames;
pub mod framing;
pub mod headers;
pub mod listen;
pub mod meter;
pub mod pace;
mod stall;

pub use authority::{Authority, Refused, Site};
pub use forward::{ForwardError, Forwarder, Target};
pub use meter::{Hold, Meter, Metered};
pub use pace::Paced;
