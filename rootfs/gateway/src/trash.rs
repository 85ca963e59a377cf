//! Where deleted things go, and the way back. What lies in `.trash` has a name that says when it was deleted; beside it,
//! in `.trash/.from`, a file of that name says where it was.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::{Path as UrlPath, State};
use axum::http::StatusCode;
use cap_std::fs::Dir;
use matrixos_types::computer::PathBody;

use crate::config::small_file;
use crate::desktop::blocking;
use crate::error::Failure;
use crate::files::{below_home, relative};
use crate::state::Gateway;

const TRASH: &str = ".trash";
const ORIGINS: &str = ".trash/.from";
/// Longest path that is remembered, in bytes (PATH_MAX).
const LONGEST: u64 = 4_096;
/// Longest name of a file, in bytes (NAME_MAX).
const NAME: usize = 255;
/// Names that are tried when the old one is taken.
const NAMES: u32 = 1_000;

pub(crate) async fn trash(State(gateway): State<Gateway>, Json(body): Json<PathBody>) -> Result<StatusCode, Failure> {
    to_trash(gateway, &body.path).await
}

pub(crate) async fn delete(
    State(gateway): State<Gateway>,
    UrlPath(path): UrlPath<String>,
) -> Result<StatusCode, Failure> {
    to_trash(gateway, &path).await
}

async fn to_trash(gateway: Gateway, path: &str) -> Result<StatusCode, Failure> {
    let path = below_home(path)?;
    blocking(gateway, move |home| discard(home, &path)).await.map(|()| StatusCode::NO_CONTENT)
}

/// Into the trash under a name that says when; what is in the trash already is deleted for good.
pub(crate) fn discard(home: &Dir, path: &Path) -> io::Result<()> {
    let found = home.symlink_metadata(path)?;
    if path.starts_with(TRASH) {
        if let Some(origin) = origin_file(path) {
            let _ = home.remove_file(origin);
        }
        return if found.is_dir() { home.remove_dir_all(path) } else { home.remove_file(path) };
    }
    // One at a time: of two files of one name that are deleted within a millisecond, none replaces the other.
    static DISCARDING: Mutex<()> = Mutex::new(());
    let _alone = DISCARDING.lock().unwrap_or_else(PoisonError::into_inner);
    home.create_dir_all(ORIGINS)?;
    let kept = kept_name(home, &path.file_name().unwrap_or_default().to_string_lossy());
    home.rename(path, home, Path::new(TRASH).join(&kept))?;
    // Without this, say on a full disk, it comes back into the home itself.
    if let Some(text) = path.to_str() {
        let _ = home.write(Path::new(ORIGINS).join(kept), text);
    }
    Ok(())
}

/// A name in the trash that is free, and short enough with the time before it; the whole name stands with the origin.
fn kept_name(home: &Dir, name: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
    let named = |when: u128| {
        let time = format!("{when}-");
        let room = name.len().saturating_sub((time.len() + name.len()).saturating_sub(NAME));
        format!("{time}{}", &name[..name.floor_char_boundary(room)])
    };
    let is_free = |kept: &String| home.symlink_metadata(Path::new(TRASH).join(kept)).is_err();
    (now..).map(named).find(is_free).unwrap_or_default()
}

/// Where it is written down from where something right in the trash came.
fn origin_file(path: &Path) -> Option<PathBuf> {
    let name = path.strip_prefix(TRASH).ok().filter(|rest| rest.components().count() == 1)?;
    (Path::new(ORIGINS) != path).then(|| Path::new(ORIGINS).join(name))
}

/// `POST /api/files/restore` `{path: ".trash/…"}`: back to where it was, under another name if that one is taken by now.
/// Answers where it is.
pub(crate) async fn restore(
    State(gateway): State<Gateway>,
    Json(body): Json<PathBody>,
) -> Result<Json<PathBody>, Failure> {
    let path = relative(&body.path)?;
    let Some(origin) = origin_file(&path) else {
        return Err(Failure::bad_request("Only what lies in the trash can be put back."));
    };
    let back = blocking(gateway, move |home| put_back(home, &path, &origin)).await?;
    Ok(Json(PathBody { path: back.to_string_lossy().into_owned() }))
}

fn put_back(home: &Dir, path: &Path, origin: &Path) -> io::Result<PathBuf> {
    home.symlink_metadata(path)?;
    let target =
        origin.to_str().and_then(|origin| small_file(home, origin, LONGEST)).and_then(|text| below_home(&text).ok());
    let target = target.filter(|target| !target.starts_with(TRASH)).unwrap_or_else(|| plain_name(path));
    if let Some(folder) = target.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        home.create_dir_all(folder)?;
    }
    let free = free_name(home, &target)?;
    home.rename(path, home, &free)?;
    let _ = home.remove_file(origin);
    Ok(free)
}

/// Its name without the time, right in the home.
fn plain_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let rest = name.split_once('-').filter(|(when, rest)| !rest.is_empty() && when.bytes().all(|b| b.is_ascii_digit()));
    PathBuf::from(rest.map_or(name.as_str(), |(_, rest)| rest))
}

/// That name, or with a number before its ending: `note (2).txt`.
fn free_name(home: &Dir, target: &Path) -> io::Result<PathBuf> {
    let stem = target.file_stem().unwrap_or_default().to_string_lossy();
    let ending = target.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    let others = (2..NAMES).map(|n| target.with_file_name(format!("{stem} ({n}){ending}")));
    for candidate in std::iter::once(target.to_owned()).chain(others) {
        match home.symlink_metadata(&candidate) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(candidate),
            Ok(_) => {}
            Err(e) => return Err(e),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// `DELETE /api/files/trash`: everything in the trash, for good.
pub(crate) async fn empty(State(gateway): State<Gateway>) -> Result<StatusCode, Failure> {
    blocking(gateway, |home| match home.remove_dir_all(TRASH) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    })
    .await
    .map(|()| StatusCode::NO_CONTENT)
}
