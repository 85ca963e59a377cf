//! The front door: every byte from the network comes in here. The only crate of the platform that names axum.

mod account;
pub mod admin;
mod auth;
mod body;
mod caller;
pub mod channels;
mod computers;
mod cookies;
mod edge;
mod ending;
mod error;
mod events;
mod export;
mod hardening;
pub mod internal;
mod limits;
mod pages;
mod platform;
mod public;
pub mod routes;
mod security;
mod sessions;
mod sign_in;
mod usage;
mod users;
mod waiting;
mod watch;

pub use caller::Proxies;
pub use edge::Edge;
pub use pages::are_built;
pub use platform::{Names, Parts, Platform};
pub use watch::Watch;
