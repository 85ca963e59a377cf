//! The desktop's own files, and the two small documents in which it remembers how it looks.

use std::io;
use std::path::{Component, Path};

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use cap_std::fs::Dir;
use serde_json::{Value, json};

use crate::config::{replace, small_file};
use crate::error::Failure;
use crate::refusals;
use crate::state::Gateway;

/// Nothing inline, nothing from elsewhere, never in a frame (rootfs/shell/README.md says why that suffices).
const POLICY: &str =
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'";

/// Largest document that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// Serves a file of the desktop; every address without a file name ending is the desktop itself.
pub(crate) async fn page(State(gateway): State<Gateway>, method: Method, uri: Uri) -> Result<Response, Failure> {
    if let Some(refusal) = refusals::no_page(uri.path()) {
        return Err(refusal);
    }
    if !matches!(method, Method::GET | Method::HEAD) {
        return Err(Failure::not_found());
    }
    let asked = uri.path().trim_start_matches('/');
    let name = if asked.rsplit('/').next().is_some_and(|last| last.contains('.')) { asked } else { "index.html" };
    if !Path::new(name).components().all(|c| matches!(c, Component::Normal(_))) {
        return Err(Failure::not_found());
    }
    let path = gateway.settings.shell.join(name);
    let bytes = tokio::fs::read(&path).await.map_err(|_| Failure::not_found())?;
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(kind.as_ref()).map_err(io::Error::other)?);
    // Names below assets/ hold a hash of the content (Vite), so they never change.
    let caching = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    Ok(response)
}

pub(crate) async fn layout(State(gateway): State<Gateway>) -> Result<Json<Value>, Failure> {
    read(gateway, "system/layout.json").await
}

pub(crate) async fn set_layout(State(gateway): State<Gateway>, Json(value): Json<Value>) -> Result<Response, Failure> {
    write(gateway, "system/layout.json", value).await
}

pub(crate) async fn theme(State(gateway): State<Gateway>) -> Result<Json<Value>, Failure> {
    read(gateway, "system/theme.json").await
}

pub(crate) async fn set_theme(State(gateway): State<Gateway>, Json(value): Json<Value>) -> Result<Response, Failure> {
    write(gateway, "system/theme.json", value).await
}

/// A document that is missing or was damaged by hand is an empty one.
async fn read(gateway: Gateway, name: &'static str) -> Result<Json<Value>, Failure> {
    let text = blocking(gateway, move |home| Ok(small_file(home, name, LARGEST))).await?;
    Ok(Json(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_else(|| json!({}))))
}

async fn write(gateway: Gateway, name: &'static str, value: Value) -> Result<Response, Failure> {
    if !value.is_object() {
        return Err(Failure::bad_request("A JSON object is expected."));
    }
    let text = format!("{value:#}\n");
    blocking(gateway, move |home| replace(home, name, &text)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Runs file work off the thread that serves.
pub(crate) async fn blocking<T: Send + 'static>(
    gateway: Gateway,
    work: impl FnOnce(&Dir) -> io::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(move || work(&gateway.home)).await;
    done.map_err(io::Error::other)?.map_err(Failure::from)
}
