//! The owner's files, by path relative to the home. The home is a capability handle (openat2 with RESOLVE_BENEATH
//! beneath it), so no path and no link leads out of it.

use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use axum::Json;
use axum::body::{Body, BodyDataStream};
use axum::extract::{Path as UrlPath, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use cap_std::fs::{Dir, DirEntry, Metadata};
use futures_util::StreamExt;
use matrixos_types::computer::{Entry, EntryKind, Listing, PathBody, RenameBody};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::time::timeout;
use tokio_util::io::ReaderStream;

use crate::desktop::blocking;
use crate::error::Failure;
use crate::state::Gateway;

/// Entries of one folder that are listed.
const LISTED: usize = 10_000;
/// What is taken in of an upload that has failed already, in bytes, and for how long.
const HEARD_OUT: usize = 64 << 20;
const HEARD_OUT_WITHIN: Duration = Duration::from_secs(20);
const SILENCE: Duration = Duration::from_millis(500);
const FILE_POLICY: &str = "sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'";

/// A path within the home: no way up, no root, no empty part. Empty stands for the home itself.
pub(crate) fn relative(text: &str) -> Result<PathBuf, Failure> {
    if text.contains('\0') {
        return Err(Failure::bad_request("A file name cannot hold a zero byte."));
    }
    let mut path = PathBuf::new();
    for component in Path::new(text.trim_start_matches('/')).components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            _ => return Err(Failure::outside()),
        }
    }
    Ok(path)
}

/// [`relative`], but not the home itself.
pub(crate) fn below_home(text: &str) -> Result<PathBuf, Failure> {
    let path = relative(text)?;
    if path.as_os_str().is_empty() {
        Err(Failure::bad_request("Your home itself cannot be moved or replaced."))
    } else {
        Ok(path)
    }
}

pub(crate) async fn list(
    State(gateway): State<Gateway>,
    Query(query): Query<PathBody>,
) -> Result<Json<Listing>, Failure> {
    let path = relative(&query.path)?;
    let shown = path.to_string_lossy().into_owned();
    let (entries, truncated) = blocking(gateway, move |home| entries(home, &path)).await?;
    Ok(Json(Listing { path: shown, entries, truncated }))
}

pub(crate) fn entries(home: &Dir, path: &Path) -> io::Result<(Vec<Entry>, bool)> {
    let folder = if path.as_os_str().is_empty() { home.try_clone()? } else { home.open_dir(path)? };
    let mut entries: Vec<Entry> = folder.entries()?.take(LISTED + 1).filter_map(|e| entry(&e.ok()?)).collect();
    let truncated = entries.len() > LISTED;
    entries.truncate(LISTED);
    entries.sort_by(|a, b| {
        (a.kind != EntryKind::Directory, a.name.to_lowercase())
            .cmp(&(b.kind != EntryKind::Directory, b.name.to_lowercase()))
    });
    Ok((entries, truncated))
}

fn entry(entry: &DirEntry) -> Option<Entry> {
    let (found, name) = (entry.metadata().ok()?, entry.file_name());
    let lossy = name.to_str().is_none();
    Some(Entry {
        name: name.to_string_lossy().into_owned(),
        kind: kind(&found),
        size: found.len(),
        modified: modified(&found),
        lossy,
    })
}

fn kind(found: &Metadata) -> EntryKind {
    let file_type = found.file_type();
    match () {
        () if file_type.is_dir() => EntryKind::Directory,
        () if file_type.is_file() => EntryKind::File,
        () if file_type.is_symlink() => EntryKind::Symlink,
        () => EntryKind::Other,
    }
}

fn modified(found: &Metadata) -> Option<u64> {
    let time = found.modified().ok()?.into_std();
    u64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}

pub(crate) async fn download(
    State(gateway): State<Gateway>,
    method: Method,
    UrlPath(path): UrlPath<String>,
    asked: HeaderMap,
) -> Result<Response, Failure> {
    let path = below_home(&path)?;
    let kind = mime_guess::from_path(&path).first_or_octet_stream();
    let (mut file, length) = blocking(gateway, move |home| open(home, &path)).await?;
    let part = asked.get(header::RANGE).and_then(|value| range(value.to_str().ok()?, length));
    let (start, count) = part.unwrap_or((0, length));
    if start > 0 {
        file.seek(io::SeekFrom::Start(start)).await?;
    }
    let body =
        if method == Method::HEAD { Body::empty() } else { Body::from_stream(ReaderStream::new(file.take(count))) };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(kind.as_ref()).map_err(io::Error::other)?);
    headers.insert(header::CONTENT_LENGTH, count.into());
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A page among the files must not act as the desktop.
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(FILE_POLICY));
    if part.is_some() {
        let described = format!("bytes {start}-{}/{length}", start + count - 1);
        headers.insert(header::CONTENT_RANGE, HeaderValue::from_str(&described).map_err(io::Error::other)?);
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

/// Start and number of bytes of a range (RFC 9110, section 14.1.2). Of several ranges, and of one that lies outside, a
/// server may send the whole file instead.
fn range(text: &str, length: u64) -> Option<(u64, u64)> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let end = length.checked_sub(1)?;
    let (start, last) = match (first.is_empty(), last.is_empty()) {
        (true, _) => (length.saturating_sub(last.parse().ok()?), end),
        (false, true) => (first.parse().ok()?, end),
        (false, false) => (first.parse().ok()?, last.parse::<u64>().ok()?.min(end)),
    };
    (start <= last).then(|| (start, last - start + 1))
}

/// Opens a regular file; a pipe is not waited for.
fn open(home: &Dir, path: &Path) -> io::Result<(tokio::fs::File, u64)> {
    let found = home.metadata(path)?;
    if found.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !found.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let file = home.open(path)?.into_std();
    let length = file.metadata()?.len();
    Ok((tokio::fs::File::from_std(file), length))
}

/// Streams the body into a file beside the target and gives it the name when it is complete.
pub(crate) async fn upload(
    State(gateway): State<Gateway>,
    UrlPath(path): UrlPath<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Failure> {
    let mut body = body.into_data_stream();
    let stored = store(gateway, &path, &headers, &mut body).await;
    if stored.is_err() {
        hear_out(body).await;
    }
    stored
}

/// Takes in what is still on its way: to a connection that is closed while somebody sends, no answer comes through.
async fn hear_out(mut body: BodyDataStream) {
    let hear = async {
        let mut left = HEARD_OUT;
        // Whoever sends no more waits for the answer.
        while let Ok(Some(Ok(chunk))) = timeout(SILENCE, body.next()).await {
            let Some(rest) = left.checked_sub(chunk.len()) else { return };
            left = rest;
        }
    };
    let _ = timeout(HEARD_OUT_WITHIN, hear).await;
}

async fn store(
    gateway: Gateway,
    path: &str,
    headers: &HeaderMap,
    body: &mut BodyDataStream,
) -> Result<StatusCode, Failure> {
    let path = below_home(path)?;
    let limit = gateway.settings.upload_limit;
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let draft = path.with_file_name(format!(".upload-{}", uuid::Uuid::new_v4().simple()));
    let (target, name) = (path, draft.clone());
    let file = blocking(gateway.clone(), move |home| prepare(home, &target, &name).map(|file| (file, target))).await;
    let (file, target) = file?;
    let written = receive(file, body, limit).await;
    match written {
        Ok(()) => {
            blocking(gateway, move |home| home.rename(&draft, home, &target)).await.map(|()| StatusCode::NO_CONTENT)
        }
        Err(failure) => {
            let _ = blocking(gateway, move |home| home.remove_file(&draft)).await;
            Err(failure)
        }
    }
}

fn prepare(home: &Dir, target: &Path, draft: &Path) -> io::Result<std::fs::File> {
    match home.symlink_metadata(target) {
        Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(_) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    home.create(draft).map(cap_std::fs::File::into_std)
}

async fn receive(file: std::fs::File, stream: &mut BodyDataStream, limit: u64) -> Result<(), Failure> {
    let mut file = file;
    let mut length = 0;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Failure::bad_request("The upload was cut off; nothing was changed."))?;
        length += chunk.len() as u64;
        if length > limit {
            return Err(too_large(limit));
        }
        file = tokio::task::spawn_blocking(move || file.write_all(&chunk).map(|()| file))
            .await
            .map_err(io::Error::other)??;
    }
    Ok(tokio::task::spawn_blocking(move || file.sync_all()).await.map_err(io::Error::other)??)
}

fn too_large(limit: u64) -> Failure {
    let message = format!("A file may have at most {}. Nothing was changed.", matrixos_types::Bytes(limit));
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
}

pub(crate) async fn mkdir(State(gateway): State<Gateway>, Json(body): Json<PathBody>) -> Result<StatusCode, Failure> {
    let path = below_home(&body.path)?;
    blocking(gateway, move |home| home.create_dir(&path)).await.map(|()| StatusCode::CREATED)
}

/// Moves without overwriting. That nothing stands at the target is looked up first: a lost race would be the owner
/// against themselves.
pub(crate) async fn rename(
    State(gateway): State<Gateway>,
    Json(body): Json<RenameBody>,
) -> Result<StatusCode, Failure> {
    let (from, to) = (below_home(&body.from)?, below_home(&body.to)?);
    blocking(gateway, move |home| {
        home.symlink_metadata(&from)?;
        match home.symlink_metadata(&to) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => home.rename(&from, home, &to),
            Err(e) => Err(e),
        }
    })
    .await
    .map(|()| StatusCode::NO_CONTENT)
}
