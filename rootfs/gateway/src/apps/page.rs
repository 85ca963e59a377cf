//! `GET /apps/{app}`: an app as it runs in its frame, with the bridge and a policy that lets it reach nothing else.

use std::io::Read;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::{FOLDER, LARGEST, is_name};
use crate::config::open_file;
use crate::desktop::blocking;
use crate::error::Failure;
use crate::state::Gateway;

/// An origin of its own that is nobody's, no network, only the desktop may frame it. What it loads stands in its file.
const POLICY: &str = "sandbox allow-scripts allow-forms; default-src 'none'; script-src 'unsafe-inline'; \
    style-src 'unsafe-inline'; img-src data: blob:; font-src data:; media-src data: blob:; form-action 'none'; \
    base-uri 'none'; frame-ancestors 'self'";
const BRIDGE: &str = include_str!("bridge.js");

pub(crate) async fn page(State(gateway): State<Gateway>, Path(app): Path<String>) -> Result<Response, Failure> {
    let name = app.strip_suffix(".html").unwrap_or(&app).to_owned();
    if !is_name(&name) {
        return Err(Failure::not_found());
    }
    let file = format!("{FOLDER}/{name}.html");
    let html = blocking(gateway, move |home| {
        let mut html = Vec::new();
        open_file(home, &file)?.take(LARGEST as u64 + 1).read_to_end(&mut html).map(|_| html)
    })
    .await?;
    if html.len() > LARGEST {
        return Err(Failure::new(
            axum::http::StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "This app is larger than 2 MiB, so it is not opened. Make its file smaller.",
        ));
    }
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    Ok((headers, with_bridge(&String::from_utf8_lossy(&html), &name)).into_response())
}

/// The bridge runs before anything of the app's, and without moving the document into quirks mode. It is told how many
/// lines it takes up, so that a crash is told with the line of the app's own file.
fn with_bridge(html: &str, name: &str) -> String {
    let lines = BRIDGE.matches('\n').count();
    let bridge = BRIDGE.replace("\"{app}\"", &format!("\"{name}\"")).replace("{lines}", &lines.to_string());
    let script = format!("<script>{bridge}</script>");
    let lower = html.to_ascii_lowercase();
    let place = ["<head>", "<html>", "<!doctype html>"].iter().find_map(|tag| Some(lower.find(tag)? + tag.len()));
    let (before, after) = html.split_at(place.unwrap_or(0));
    format!("{before}{script}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bridge_stands_before_the_apps_own_scripts() {
        for html in [
            "<!doctype html><html><head><script>x()</script>",
            "<!DOCTYPE html><script>x()</script>",
            "<script>x()</script>",
        ] {
            let page = with_bridge(html, "todo");
            let (bridge, own) = (page.find("MatrixOS"), page.find("x()"));
            assert!(bridge.is_some() && bridge < own, "{page}");
            assert!(page.contains("\"todo\"") && !BRIDGE.contains("</"));
        }
    }

    #[test]
    fn a_crash_is_told_with_the_line_of_the_apps_own_file() {
        let html = "<!doctype html>\n<head>\n<script>\nx()\n</script>";
        let page = with_bridge(html, "todo");
        let line_of_x = |text: &str| text.lines().position(|line| line == "x()").unwrap_or_default();
        let added = line_of_x(&page) - line_of_x(html);
        assert!(added > 0 && page.contains(&format!("const added = {added};")), "{added}: {page}");
    }
}
