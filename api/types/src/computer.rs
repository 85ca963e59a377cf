//! What a computer's gateway and the platform say to each other: environment, paths and reply shapes.

use serde::{Deserialize, Serialize};

/// TCP port on which every gateway listens, inside its own network namespace.
pub const GATEWAY_PORT: u16 = 4000;
/// Environment variable that carries the bearer token the gateway demands.
pub const TOKEN_ENV: &str = "MATRIX_AUTH_TOKEN";
/// Environment variable that carries the owner's handle.
pub const HANDLE_ENV: &str = "MATRIX_HANDLE";
/// Environment variable that carries the platform's domain, for example `matrix-os.example`.
pub const DOMAIN_ENV: &str = "MATRIX_DOMAIN";
/// The user's home inside the container.
pub const HOME: &str = "/home/matrixos";
/// User and group id of the owner inside the container.
pub const HOME_ID: u32 = 1000;
/// The gateway program inside the image.
pub const GATEWAY_PATH: &str = "/usr/lib/matrixos/matrixos-gateway";
/// The desktop's files inside the image.
pub const SHELL_PATH: &str = "/usr/share/matrixos/shell";
/// The home template inside the image.
pub const TEMPLATE_PATH: &str = "/usr/share/matrixos/home";

/// `GET /health`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// Always `ok`; an unhealthy gateway does not answer.
    pub status: String,
    /// Names of the channels that are really connected.
    pub channels: Vec<String>,
    /// Number of scheduled jobs.
    pub cron_jobs: u32,
}
