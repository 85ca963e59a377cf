//! The one table of the platform's own routes: method, path, who may, how often, handler.

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Router, extract::DefaultBodyLimit, middleware};

use crate::error::ApiError;
use crate::platform::Platform;
use crate::{
    account, auth, channels, events, export, hardening, limits, pages, public, security, sessions, sign_in, usage,
    users,
};

/// Largest body of a request, in bytes: a passkey's answer is a few thousand.
const BODY: usize = 64 * 1024;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Anybody.
    Public,
    /// Anybody; who is signed in gets another answer.
    Door,
    /// A signed-in person, about themselves.
    SignedIn,
    /// A signed-in person who has just proved who they are.
    Fresh,
    /// An administrator.
    Administrator,
    /// An administrator who has just proved who they are.
    FreshAdministrator,
    /// A container, at the door for computers.
    Container,
    /// A channel that brings a message and shows its secret.
    Channel,
}

/// How often one address may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// As often as it likes.
    Free,
    /// Questions that could be used to list people.
    LookUp,
    /// Sign-ups, logins, and whatever takes a code.
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
    pub(crate) handler: MethodRouter<Platform>,
}

impl Route {
    /// Takes bodies of so many bytes.
    pub(crate) fn taking(self, bytes: usize) -> Self {
        Self { handler: self.handler.layer(DefaultBodyLimit::max(bytes)), ..self }
    }
}

pub(crate) fn route<T: 'static>(
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
    use Audience::{Administrator, Door, Fresh, FreshAdministrator as Acting, Public, SignedIn};
    use Rate::{Ceremony, Free, LookUp};
    let (get, post, patch, delete) = (|| Method::GET, || Method::POST, || Method::PATCH, || Method::DELETE);
    vec![
        route(get(), "/health", Public, Free, public::health),
        route(get(), "/api/stats", Public, Free, public::stats),
        route(get(), "/api/handles/{text}", Public, LookUp, public::handle),
        route(get(), "/api/profiles/{handle}", Public, LookUp, public::profile),
        route(post(), "/api/signup/start", Public, Ceremony, sign_in::start_sign_up),
        route(post(), "/api/signup/finish", Public, Ceremony, sign_in::finish_sign_up),
        route(post(), "/api/signup/totp/start", Public, Ceremony, sign_in::start_totp_sign_up),
        route(post(), "/api/signup/totp/finish", Public, Ceremony, sign_in::finish_totp_sign_up),
        route(post(), "/api/login/start", Public, Ceremony, sign_in::start_login),
        route(post(), "/api/login/finish", Public, Ceremony, sign_in::finish_login),
        route(post(), "/api/login/code", Public, Ceremony, sign_in::login_with_code),
        route(get(), "/enter/{handle}", Door, Free, account::enter),
        route(post(), "/api/logout", SignedIn, Free, sessions::sign_out),
        route(get(), "/api/me", SignedIn, Free, account::me),
        route(get(), "/api/computer", SignedIn, Free, account::computer),
        route(post(), "/api/computer/start", SignedIn, Free, account::start_computer),
        route(post(), "/api/computer/awake", SignedIn, Free, account::keep_awake),
        route(Method::DELETE, "/api/computer/awake", SignedIn, Free, account::let_rest),
        route(get(), "/api/security", SignedIn, Free, security::security),
        route(post(), "/api/passkeys/start", Fresh, Ceremony, security::start_passkey),
        route(post(), "/api/passkeys/finish", Fresh, Ceremony, security::finish_passkey),
        route(patch(), "/api/passkeys/{id}", SignedIn, Ceremony, security::rename_passkey),
        route(delete(), "/api/passkeys/{id}", Fresh, Ceremony, security::remove_passkey),
        route(post(), "/api/totp/start", Fresh, Ceremony, security::start_totp),
        route(post(), "/api/totp/finish", Fresh, Ceremony, security::finish_totp),
        route(delete(), "/api/totp", Fresh, Ceremony, security::remove_totp),
        route(post(), "/api/recovery-codes", Fresh, Ceremony, security::new_recovery_codes),
        route(post(), "/api/verify/start", SignedIn, Ceremony, security::start_verify),
        route(post(), "/api/verify/finish", SignedIn, Ceremony, security::finish_verify),
        route(post(), "/api/verify/code", SignedIn, Ceremony, security::verify_with_code),
        route(get(), "/api/sessions", SignedIn, Free, sessions::list),
        route(delete(), "/api/sessions/{id}", SignedIn, Ceremony, sessions::revoke),
        route(post(), "/api/sessions/revoke-all", SignedIn, Ceremony, sessions::revoke_all),
        route(get(), "/api/usage/{handle}", SignedIn, LookUp, usage::usage),
        route(get(), "/api/usage/{handle}/calls.csv", SignedIn, LookUp, usage::calls),
        route(Method::PUT, "/api/ai/key", Fresh, Ceremony, usage::set_own_key),
        route(delete(), "/api/ai/key", SignedIn, Ceremony, usage::remove_own_key),
        route(get(), "/api/audit", SignedIn, LookUp, events::own),
        route(get(), "/api/account/export", Fresh, Ceremony, export::own),
        route(post(), "/api/account/delete", Fresh, Ceremony, account::request_deletion),
        route(post(), "/api/account/restore", SignedIn, Ceremony, account::undo_deletion),
        route(post(), "/api/admin/claim", Fresh, Ceremony, account::accept_invitation),
        route(get(), "/api/admin/audit", Administrator, LookUp, events::all),
        route(get(), "/api/admin/users", Administrator, LookUp, users::list),
        route(post(), "/api/admin/users/{handle}/sessions/revoke-all", Acting, Ceremony, users::sign_out),
        route(Method::PUT, "/api/admin/users/{handle}/quota", Acting, Ceremony, users::set_quota),
        route(post(), "/api/admin/users/{handle}/computer/stop", Acting, Ceremony, users::stop_computer),
        route(post(), "/api/admin/users/{handle}/computer/start", Acting, Ceremony, users::start_computer),
    ]
}

/// The table of `api.{domain}`: what programs ask, without `/api` before it. No browser sends its cookies there; a program
/// shows the session that it was given.
pub fn api_table() -> Vec<Route> {
    vec![
        route(Method::GET, "/health", Audience::Public, Rate::Free, public::health),
        route(Method::GET, "/usage/{handle}", Audience::SignedIn, Rate::LookUp, usage::usage),
    ]
}

/// The platform's own host: the table, and the pages for everything else.
pub(crate) fn router(platform: Platform) -> Router {
    hardened(routed(&platform, table()).fallback(pages::page), platform)
}

/// `api.{domain}`: nothing else is there.
pub(crate) fn api_router(platform: Platform) -> Router {
    hardened(routed(&platform, api_table()).fallback(async || ApiError::not_found()), platform)
}

fn routed(platform: &Platform, table: Vec<Route>) -> Router<Platform> {
    table.into_iter().fold(Router::new(), |router, route| {
        let keep = middleware::from_fn_with_state((platform.clone(), route.rate), limits::keep);
        let handler = match route.audience {
            Audience::Public => route.handler,
            _ => route.handler.layer(middleware::from_fn_with_state(platform.clone(), auth::identify)),
        };
        router.route(route.path, handler.layer(keep))
    })
}

fn hardened(router: Router<Platform>, platform: Platform) -> Router {
    router
        .layer(DefaultBodyLimit::max(BODY))
        .layer(middleware::from_fn_with_state(platform.clone(), auth::same_origin))
        // Channels are no browsers: what they bring counts by its secret alone.
        .merge(channels::router())
        .layer(middleware::map_response_with_state(platform.clone(), hardening::harden))
        .with_state(platform)
}
