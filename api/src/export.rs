//! Everything that somebody has, as a file: for themselves, and for the operator.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use matrixos_supervisor::containers::{Export, ExportError};
use matrixos_supervisor::store::{Caller, Row, StoreError, User, What};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::account::sentence;
use crate::auth::Verified;
use crate::body::Asked;
use crate::caller::CalledFrom;
use crate::ending::ending;
use crate::error::ApiError;
use crate::platform::Platform;
use crate::usage::{spending, standing};

/// Calls that are told one by one: the file about an account has room for 8 MiB.
const CALLS: u64 = 5_000;

#[derive(Deserialize)]
pub(crate) struct Wish {
    /// Only say whether it would begin.
    #[serde(default)]
    check: bool,
}

/// Other sites can lead a browser here, with its cookies: reading is nothing that they gain by it, but the download is
/// their doing, and keeps the owner from one of their own.
pub(crate) async fn own(
    State(platform): State<Platform>,
    Verified(fresh): Verified,
    CalledFrom(from): CalledFrom,
    headers: HeaderMap,
    Asked(wish): Asked<Wish>,
) -> Result<Response, ApiError> {
    if headers.get("sec-fetch-site").is_none_or(|site| site != "same-origin") {
        let message = "This can only be done from the platform's own pages.";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden_origin", message));
    }
    let user = fresh.user();
    if wish.check {
        platform.containers.may_export(&user.container)?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let export = begin(&platform, user).await?;
    let until = platform.accounts.note_export(&fresh, &from).await?;
    Ok(file(&platform, user, ending(body(export), &until)))
}

pub(crate) async fn for_operator(
    State(platform): State<Platform>,
    Path(handle): Path<String>,
) -> Result<Response, ApiError> {
    let user = crate::admin::user(&platform, &handle)?;
    let export = begin(&platform, &user).await?;
    platform.accounts.note_operation(user.id, What::DataExported, &Caller::default()).await?;
    Ok(file(&platform, &user, body(export)))
}

async fn begin(platform: &Platform, user: &User) -> Result<Export, ApiError> {
    let mut account = platform.accounts.record(user)?;
    let (history, awake) = platform.containers.history(&user.container).unwrap_or_default();
    account["ai"] = ai(platform, user).await?;
    account["computer"] = json!({ "history": history, "awake": awake });
    let text = serde_json::to_vec_pretty(&account).map_err(ApiError::internal)?;
    Ok(platform.containers.export(&user.container, &text).await?)
}

/// What the AI of somebody's computer used: all of it by day and model, and the latest calls one by one. All of them are
/// in the table that the account page gives.
async fn ai(platform: &Platform, user: &User) -> Result<Value, ApiError> {
    let (meter, id) = (platform.relay.meter().clone(), user.id);
    meter.catch_up(id).await?;
    let read = move || {
        let report = meter.usage(id, 0..=u32::MAX)?;
        let rows = report.days.iter().map(|day| day.calls).sum::<u64>();
        let calls = meter.calls(id, rows.saturating_sub(CALLS)).map(|row| row.map(|row| call(&row)));
        let mut known = standing(&report.standing);
        known["days"] = report.days.iter().map(spending).collect();
        known["calls"] = calls.collect::<Result<Value, StoreError>>()?;
        Ok::<_, StoreError>(known)
    };
    tokio::task::spawn_blocking(read).await.map_err(ApiError::internal)?.map_err(ApiError::from)
}

fn call(row: &Row) -> Value {
    let call = &row.call;
    json!({
        "number": row.number,
        "at": call.at,
        "model": call.model,
        "input_tokens": call.input,
        "output_tokens": call.output,
        "cache_write_5m_tokens": call.write_5m,
        "cache_write_1h_tokens": call.write_1h,
        "cache_read_tokens": call.read,
        "web_searches": call.searches,
        "cost_text": call.cost.exact(),
        "known": call.how.as_str(),
        "own_key": call.own,
    })
}

/// An error on the way breaks the connection off, so that half a file does not look like a whole one.
fn body(export: Export) -> Body {
    Body::from_stream(stream::unfold(export, |mut export| async move {
        let piece = export.next().await?;
        if let Err(error) = &piece {
            tracing::warn!(%error, "an export broke off");
        }
        Some((piece, export))
    }))
}

fn file(platform: &Platform, user: &User, body: Body) -> Response {
    let day = humantime::format_rfc3339_seconds(platform.accounts.time()).to_string();
    let name = format!("matrixos-{}-{}.tar.gz", user.handle, day.split('T').next().unwrap_or_default());
    let mut response = body.into_response();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, "application/gzip");
    set(header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""));
    set(header::CACHE_CONTROL, "no-store");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    response
}

impl From<ExportError> for ApiError {
    fn from(error: ExportError) -> Self {
        let message = sentence(&error.to_string());
        match error {
            ExportError::Unknown => Self::not_found(),
            ExportError::UnderWay => Self::new(StatusCode::CONFLICT, "export_under_way", message),
            ExportError::TooMany | ExportError::Busy => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).retry_after(120)
            }
            ExportError::Launcher(_) | ExportError::Broken(_) => Self::internal(error),
        }
    }
}
