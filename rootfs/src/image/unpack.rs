//! Unpacking, once: into a draft that gets its name only when every layer was applied and every digest was right.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use tar::{Archive, Entry, EntryType};

use super::{ImageError, at, hex, layer, layout, manifest, roots};

/// Prefix of a deletion in a layer (image specification 1.1, layer.md, "Whiteouts").
const WHITEOUT: &str = ".wh.";

pub(super) fn unpack(data: &Path, digest: &str) -> Result<PathBuf, ImageError> {
    let (roots, root) = (roots(data), roots(data).join(hex(digest)?));
    fs::create_dir_all(&roots).map_err(at("make", &roots))?;
    check_manifest(data, digest)?;
    let draft = tempfile::Builder::new().prefix(".draft-").tempdir_in(&roots).map_err(at("write in", &roots))?;
    for descriptor in manifest(data, digest)?.layers() {
        layer::read(data, descriptor, |stream| apply(draft.path(), stream))?;
    }
    fs::set_permissions(draft.path(), fs::Permissions::from_mode(0o755)).map_err(at("open up", draft.path()))?;
    // The name must not reach the disk before the content does.
    let folder = fs::File::open(draft.path()).map_err(at("open", draft.path()))?;
    rustix::fs::syncfs(&folder).map_err(|e| at("flush", draft.path())(e.into()))?;
    let draft = draft.keep();
    match fs::rename(&draft, &root) {
        Ok(()) => Ok(root),
        Err(error) => {
            let _ = fs::remove_dir_all(&draft);
            Err(at("name", &root)(error))
        }
    }
}

fn check_manifest(data: &Path, digest: &str) -> Result<(), ImageError> {
    let path = layout::blob(data, digest)?;
    let bytes = fs::read(&path).map_err(at("open", &path))?;
    let mut hashing = layout::Hashing::new(bytes.as_slice());
    std::io::copy(&mut hashing, &mut std::io::sink()).map_err(at("read", &path))?;
    hashing.check(digest, None)
}

fn apply(root: &Path, stream: &mut dyn Read) -> Result<(), ImageError> {
    let mut archive = Archive::new(stream);
    archive.set_preserve_permissions(true);
    archive.set_preserve_ownerships(true);
    archive.set_overwrite(true);
    for entry in archive.entries().map_err(at("read a layer for", root))? {
        let mut entry = entry.map_err(at("read a layer for", root))?;
        one(root, &mut entry)?;
    }
    Ok(())
}

fn one<R: Read>(root: &Path, entry: &mut Entry<'_, R>) -> Result<(), ImageError> {
    let path = entry.path().map_err(at("read a name in a layer for", root))?.into_owned();
    let shown = path.display().to_string();
    let forbidden = |why| ImageError::Forbidden { path: shown.clone(), why };
    if path.components().any(|c| !matches!(c, Component::Normal(_) | Component::CurDir)) {
        return Err(forbidden("a path that leaves the root"));
    }
    if let Some(name) = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_prefix(WHITEOUT)) {
        return delete(root, &path, name);
    }
    match entry.header().entry_type() {
        // A container gets its devices from the runtime; one in an image would be a way around the device rules.
        EntryType::Block | EntryType::Char | EntryType::Fifo => return Ok(()),
        EntryType::Regular | EntryType::Continuous | EntryType::Directory | EntryType::Symlink | EntryType::Link => {}
        _ => return Err(forbidden("an entry of an unknown kind")),
    }
    if entry.header().mode().is_ok_and(|mode| mode & 0o6000 != 0) && entry.header().entry_type() == EntryType::Regular {
        return Err(forbidden("a program that gains privileges when it is run"));
    }
    // `unpack_in` resolves parents and refuses any that lie outside the root.
    match entry.unpack_in(root).map_err(at("unpack into", root))? {
        true => Ok(()),
        false => Err(forbidden("a path that leaves the root")),
    }
}

fn delete(root: &Path, path: &Path, name: &str) -> Result<(), ImageError> {
    let parent = root.join(path.parent().unwrap_or(Path::new("")));
    let inside = parent.canonicalize().is_ok_and(|p| root.canonicalize().is_ok_and(|r| p.starts_with(r)));
    if !inside {
        return Ok(());
    }
    let victims: Vec<PathBuf> = if name == ".wh..opq" {
        fs::read_dir(&parent).map_err(at("read", &parent))?.filter_map(|e| Some(e.ok()?.path())).collect()
    } else {
        vec![parent.join(name)]
    };
    for victim in victims {
        let removed = match fs::symlink_metadata(&victim) {
            Ok(found) if found.is_dir() => fs::remove_dir_all(&victim),
            Ok(_) => fs::remove_file(&victim),
            Err(_) => Ok(()),
        };
        removed.map_err(at("remove", &victim))?;
    }
    Ok(())
}
