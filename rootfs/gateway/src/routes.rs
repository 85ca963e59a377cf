//! Every route of the gateway, in one table.

use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, delete, get, post};
use axum::{Router, middleware};

use crate::state::Gateway;
use crate::{auth, desktop, files, identity, notices, system, terminal};

/// Largest JSON body, in bytes; uploads have a limit of their own.
const JSON_LIMIT: usize = 256 * 1024;

/// Path and what serves it.
type Route = (&'static str, fn() -> MethodRouter<Gateway>);

/// The table. All but `/health` need the bearer token.
pub const ROUTES: &[Route] = &[
    ("/health", || get(system::health)),
    ("/api/system/info", || get(system::info)),
    ("/api/notices", || get(notices::list).post(notices::add)),
    ("/api/identity", || get(identity::identity)),
    ("/api/layout", || get(desktop::layout).put(desktop::set_layout)),
    ("/api/theme", || get(desktop::theme).put(desktop::set_theme)),
    ("/api/files/list", || get(files::list)),
    ("/api/files/mkdir", || post(files::mkdir)),
    ("/api/files/rename", || post(files::rename)),
    ("/api/files/trash", || post(files::trash)),
    ("/files/{*path}", || {
        get(files::download).put(files::upload).delete(files::delete).layer(DefaultBodyLimit::disable())
    }),
    ("/api/terminals/{id}", || delete(terminal::end)),
    ("/ws/terminal", || get(terminal::connect)),
];

/// The whole gateway.
pub fn router(gateway: Gateway) -> Router {
    let routes = ROUTES.iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods()));
    routes
        .fallback(desktop::page)
        .layer(DefaultBodyLimit::max(JSON_LIMIT))
        .layer(middleware::from_fn_with_state(gateway.clone(), auth::require_token))
        .with_state(gateway)
}
