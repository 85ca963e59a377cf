//! Every route of the gateway, in one table.

use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, delete, get, post};
use axum::{Router, middleware};

use crate::state::Gateway;
use crate::{apps, auth, config, conversations, cron, desktop, files, identity, kernel, logs, notices};
use crate::{profile, refusals, system, terminal, trash, ws};

/// Largest JSON body, in bytes; uploads have a limit of their own.
const JSON_LIMIT: usize = 256 * 1024;
/// Largest value that an app keeps, with what is said about it.
const BRIDGE_LIMIT: usize = 1024 * 1024;

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
    ("/api/files/trash", || post(trash::trash).delete(trash::empty)),
    ("/api/files/restore", || post(trash::restore)),
    ("/files/{*path}", || {
        get(files::download).put(files::upload).delete(trash::delete).layer(DefaultBodyLimit::disable())
    }),
    ("/api/terminals/{id}", || delete(terminal::end)),
    ("/ws", || get(ws::connect)),
    ("/api/message", || post(kernel::message)),
    ("/api/conversations", || get(conversations::list).post(conversations::create)),
    ("/api/conversations/search", || get(conversations::search_all)),
    ("/api/conversations/{id}", || get(conversations::read).delete(conversations::delete)),
    ("/api/conversations/{id}/search", || get(conversations::search)),
    ("/api/conversations/{id}/cancel", || post(kernel::cancel)),
    ("/api/apps", || get(apps::list)),
    ("/apps/{app}", || get(apps::page)),
    ("/api/bridge/data", || post(apps::data).layer(DefaultBodyLimit::max(BRIDGE_LIMIT))),
    ("/api/bridge/generate", || post(kernel::generate)),
    ("/api/models", || get(kernel::models)),
    ("/api/cron", || get(cron::list).post(cron::create)),
    ("/api/cron/{id}", || delete(cron::delete)),
    ("/api/channels/status", || get(system::channel_states)),
    ("/api/profile", || get(profile::owner).put(profile::set_owner)),
    ("/api/ai-profile", || get(profile::ai).put(profile::set_ai)),
    ("/api/logs", || get(logs::list)),
    ("/api/usage", || get(logs::usage)),
    ("/api/settings/{section}", || get(config::section).put(config::set_section)),
    ("/ws/terminal", || get(terminal::connect)),
];

/// The whole gateway.
pub fn router(gateway: Gateway) -> Router {
    let routes = ROUTES.iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods()));
    routes
        .fallback(desktop::page)
        .layer(middleware::from_fn(refusals::in_words))
        .layer(DefaultBodyLimit::max(JSON_LIMIT))
        .layer(middleware::from_fn_with_state(gateway.clone(), auth::require_token))
        .with_state(gateway)
}
