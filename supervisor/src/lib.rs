//! What the platform knows and decides. No HTTP, no libcontainer, no database types.

pub mod clock;
