//! The front door of a computer on a server of its owner's own, where no platform signs people in: whoever knows the token
//! gets a cookie for it. Behind a platform there is no such door.

mod page;

use axum::body::to_bytes;
use axum::extract::{Form, FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;
use std::time::Duration;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::error::Failure;

const SIGN_IN: &str = "/.matrixos/sign-in";
const SIGN_OUT: &str = "/.matrixos/sign-out";
/// How long a browser stays signed in, in seconds. A new token ends it sooner.
const KEPT_FOR: u64 = 30 * 24 * 60 * 60;
/// What a wrong token costs whoever tries it. The token is too long to be guessed; this keeps the log and the line quiet.
const WRONG: Duration = Duration::from_millis(400);
/// Wrong tokens that may wait at once; more are turned away at once, and nobody who knows the token is among them.
const WRONG_AT_ONCE: usize = 16;
/// Largest form, in bytes, and how long it may take.
const FORM: usize = 4_096;
const FORM_WITHIN: Duration = Duration::from_secs(10);
pub(crate) const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who may come in, and how they show it.
pub(crate) struct Door {
    token: String,
    /// For example `https://computer.example`; if it is not known, the name that the browser used.
    origin: Option<String>,
    /// What the cookie holds: derived from the token, which it does not tell.
    ticket: String,
    wrong: Semaphore,
}

#[derive(Deserialize)]
struct Given {
    token: String,
}

impl Door {
    pub(crate) fn new(token: &str, origin: Option<&str>) -> Self {
        Self {
            token: token.to_owned(),
            origin: origin.map(str::to_owned),
            ticket: ticket(token),
            wrong: Semaphore::new(WRONG_AT_ONCE),
        }
    }

    /// Lets a browser that has the cookie in, and shows the others where to sign in.
    pub(crate) async fn pass(&self, request: Request, next: Next) -> Response {
        let known = self.knows(request.headers());
        match (request.uri().path(), request.method()) {
            (SIGN_IN, &Method::POST) => return self.sign_in(request).await,
            (SIGN_IN, _) => return if known { to_the_desktop(None) } else { page::sign_in(StatusCode::OK, None) },
            (SIGN_OUT, &Method::POST) if known && self.is_own(request.headers()) => {
                return to_the_desktop(Some(self.cookie("", 0)));
            }
            (SIGN_OUT, &Method::GET) if known => return page::sign_out(),
            _ => {}
        }
        if !known {
            return match (is_visit(&request), from_elsewhere(request.headers())) {
                (true, true) => page::come_in(),
                (true, false) => page::sign_in(StatusCode::UNAUTHORIZED, None),
                (false, _) => refused(),
            };
        }
        if acts(&request) && !self.is_own(request.headers()) {
            return foreign_page();
        }
        next.run(request).await
    }

    async fn sign_in(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        // Anybody may send one: a small one, and soon.
        let Ok(Ok(body)) = timeout(FORM_WITHIN, to_bytes(body, FORM)).await else {
            return page::sign_in(StatusCode::BAD_REQUEST, Some("That is no token: it did not come, or was too long."));
        };
        let request = Request::from_parts(head, body.into());
        let Ok(Form(given)) = Form::<Given>::from_request(request, &()).await else {
            return page::sign_in(StatusCode::BAD_REQUEST, Some("Nothing was entered. Enter the token."));
        };
        if bool::from(given.token.trim().as_bytes().ct_eq(self.token.as_bytes())) {
            return to_the_desktop(Some(self.cookie(&self.ticket, KEPT_FOR)));
        }
        let Ok(_place) = self.wrong.try_acquire() else {
            let why = "Too many wrong tokens are being tried at this moment. Try again in a second.";
            return page::sign_in(StatusCode::TOO_MANY_REQUESTS, Some(why));
        };
        sleep(WRONG).await;
        page::sign_in(StatusCode::UNAUTHORIZED, Some("That is not the token of this computer."))
    }

    fn is_secure(&self) -> bool {
        self.origin.as_ref().is_some_and(|origin| origin.starts_with("https://"))
    }

    /// The prefix keeps neighbours on sibling names from setting it (draft-ietf-httpbis-rfc6265bis, section 4.1.3.2).
    fn cookie_name(&self) -> &'static str {
        if self.is_secure() { "__Host-matrixos-computer" } else { "matrixos-computer" }
    }

    fn cookie(&self, value: &str, seconds: u64) -> String {
        let secure = if self.is_secure() { "; Secure" } else { "" };
        format!("{}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}", self.cookie_name())
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let ticket = pairs.find_map(|(name, value)| (name == self.cookie_name()).then_some(value));
        ticket.is_some_and(|ticket| bool::from(ticket.as_bytes().ct_eq(self.ticket.as_bytes())))
    }

    /// Whether a page of this computer's own asks: by what browsers say of it, or by the origin of old ones.
    fn is_own(&self, headers: &HeaderMap) -> bool {
        if let Some(site) = headers.get(FETCH_SITE) {
            return site == "same-origin";
        }
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let Some(origin) = text(header::ORIGIN) else { return false };
        match &self.origin {
            Some(own) => own == origin,
            None => origin.split_once("://").map(|(_, authority)| authority) == text(header::HOST),
        }
    }
}

/// Nobody can make it without the token, and the token cannot be had from it (RFC 2104).
fn ticket(token: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(token.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(b"matrixos: a browser that was shown the token");
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Something that a page of somewhere else must not bring about with the owner's cookie.
pub(crate) fn acts(request: &Request) -> bool {
    let upgrades = request.headers().contains_key(header::UPGRADE);
    upgrades || !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS)
}

/// A person opens an address, as opposed to a program that asks for data.
fn is_visit(request: &Request) -> bool {
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    *request.method() == Method::GET && accepts.is_some_and(|kinds| kinds.contains("text/html"))
}

/// Browsers keep the cookie to themselves when a link on another site is followed, so nobody knows yet who that is.
fn from_elsewhere(headers: &HeaderMap) -> bool {
    headers.get(FETCH_SITE).is_some_and(|site| site == "cross-site" || site == "same-site")
}

fn to_the_desktop(cookie: Option<String>) -> Response {
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, "/")]).into_response();
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::try_from(cookie).ok()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

pub(crate) fn foreign_page() -> Response {
    let why = "This was asked for by a page of somewhere else, so it was not done.";
    Failure::new(StatusCode::FORBIDDEN, "foreign_page", why).into_response()
}

/// What programs without the token are told.
pub(crate) fn refused() -> Response {
    Failure::new(StatusCode::UNAUTHORIZED, "unauthorized", "This computer needs its owner's token.").into_response()
}
