//! The gateway as a library, so that tests can run it in a process of their own.

mod apps;
mod auth;
mod channels;
mod config;
mod conversations;
mod cron;
mod desktop;
mod door;
mod error;
mod files;
mod first_boot;
mod http;
mod hub;
mod identity;
mod kernel;
mod logs;
mod notices;
pub mod pid1;
mod platform;
mod profile;
mod publisher;
mod routes;
mod server;
mod settings;
mod state;
mod system;
mod template;
mod terminal;
mod time;
mod trash;
mod watch;
mod ws;

pub use channels::Given;
pub use routes::{ROUTES, router};
pub use server::serve;
pub use settings::Settings;
