//! The front door: every byte from the network comes in here. The only crate of the platform that names axum.

mod account;
pub mod admin;
mod auth;
mod computers;
mod edge;
mod error;
mod limits;
mod pages;
mod platform;
mod public;
pub mod routes;
mod waiting;

pub use edge::Edge;
pub use pages::are_built;
pub use platform::Platform;
