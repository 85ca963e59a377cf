//! The gateway as a library, so that tests can run it in a process of their own.

mod auth;
mod desktop;
mod error;
mod files;
mod first_boot;
mod identity;
mod notices;
pub mod pid1;
mod routes;
mod server;
mod settings;
mod state;
mod system;
mod terminal;

pub use routes::{ROUTES, router};
pub use server::serve;
pub use settings::Settings;
