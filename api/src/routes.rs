//! The one table of the platform's own routes: method, path, who may, how often, handler.

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Router, extract::DefaultBodyLimit, middleware};

use crate::platform::Platform;
use crate::{account, auth, limits, pages, public};

/// Largest body of a request, in bytes: a passkey's answer is a few thousand.
const BODY: usize = 64 * 1024;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Anybody.
    Public,
    /// A signed-in person, about themselves.
    SignedIn,
}

/// How often one address may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// As often as it likes.
    Free,
    /// Questions that could be used to list people.
    LookUp,
    /// Sign-ups and logins.
    Ceremony,
}

/// A row of the table.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with axum's placeholders.
    pub path: &'static str,
    /// Who may.
    pub audience: Audience,
    /// How often.
    pub rate: Rate,
    handler: MethodRouter<Platform>,
}

fn route<T: 'static>(
    method: Method,
    path: &'static str,
    audience: Audience,
    rate: Rate,
    handler: impl Handler<T, Platform>,
) -> Route {
    let filter = MethodFilter::try_from(method.clone()).expect("a standard method");
    Route { method, path, audience, rate, handler: on(filter, handler) }
}

/// The table.
pub fn table() -> Vec<Route> {
    use Audience::{Public, SignedIn};
    use Rate::{Ceremony, Free, LookUp};
    let (get, post) = (|| Method::GET, || Method::POST);
    vec![
        route(get(), "/health", Public, Free, public::health),
        route(get(), "/api/stats", Public, Free, public::stats),
        route(get(), "/api/handles/{text}", Public, LookUp, public::handle),
        route(get(), "/api/profiles/{handle}", Public, LookUp, public::profile),
        route(post(), "/api/signup/start", Public, Ceremony, public::start_sign_up),
        route(post(), "/api/signup/finish", Public, Ceremony, public::finish_sign_up),
        route(post(), "/api/login/start", Public, Ceremony, public::start_login),
        route(post(), "/api/login/finish", Public, Ceremony, public::finish_login),
        route(get(), "/enter/{handle}", Public, Free, account::enter),
        route(post(), "/api/logout", SignedIn, Free, account::sign_out),
        route(get(), "/api/me", SignedIn, Free, account::me),
        route(get(), "/api/computer", SignedIn, Free, account::computer),
        route(post(), "/api/computer/start", SignedIn, Free, account::start_computer),
        route(post(), "/api/computer/awake", SignedIn, Free, account::keep_awake),
        route(Method::DELETE, "/api/computer/awake", SignedIn, Free, account::let_rest),
    ]
}

/// The platform's own host: the table, and the pages for everything else.
pub(crate) fn router(platform: Platform) -> Router {
    let routes = table().into_iter().fold(Router::new(), |router, route| {
        let keep = middleware::from_fn_with_state((platform.clone(), route.rate), limits::keep);
        router.route(route.path, route.handler.layer(keep))
    });
    routes
        .fallback(pages::page)
        .layer(DefaultBodyLimit::max(BODY))
        .layer(middleware::from_fn_with_state(platform.clone(), auth::same_origin))
        .with_state(platform)
}
