//! Verification: every blob is what its name says, and the unpacked root is what the layers say.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use tar::{Archive, EntryType};

use super::layout::Hashing;
use super::{ImageError, at, layer, layout, manifest, parts, root};

/// What a layer says of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Expected {
    kind: Kind,
    mode: u32,
    owner: (u64, u64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Directory,
    File { digest: String },
    Symlink { target: PathBuf },
    Link,
}

/// Checks an image and, if it is unpacked, its root. Returns how many files were compared; `None` if it is not unpacked.
pub fn verify(data: &Path, digest: &str) -> Result<Option<usize>, ImageError> {
    for (part, size) in parts(data, digest)? {
        let path = layout::blob(data, &part)?;
        let mut blob = Hashing::new(File::open(&path).map_err(at("open", &path))?);
        io::copy(&mut blob, &mut io::sink()).map_err(at("read", &path))?;
        blob.check(&part, size)?;
    }
    let Ok(root) = root(data, digest) else { return Ok(None) };
    let mut expected = BTreeMap::new();
    for descriptor in manifest(data, digest)?.layers() {
        layer::read(data, descriptor, |stream| expect(&root, stream, &mut expected))?;
    }
    for (path, expected) in &expected {
        compare(&root, &root.join(path), expected)?;
    }
    nothing_else(&root, &root, &expected)?;
    Ok(Some(expected.len()))
}

/// Fails if the root holds a path that no layer does. Parents that a layer left out are fine.
fn nothing_else(root: &Path, folder: &Path, expected: &BTreeMap<PathBuf, Expected>) -> Result<(), ImageError> {
    for entry in fs::read_dir(folder).map_err(at("read", folder))? {
        let path = entry.map_err(at("read", folder))?.path();
        let inside = path.strip_prefix(root).unwrap_or(&path);
        let known = expected.contains_key(inside)
            || expected.range(inside.to_owned()..).next().is_some_and(|(next, _)| next.starts_with(inside));
        if !known {
            return Err(ImageError::Changed { path, root: root.to_owned(), why: "no layer holds it".to_owned() });
        }
        if fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir()) {
            nothing_else(root, &path, expected)?;
        }
    }
    Ok(())
}

fn expect(root: &Path, stream: &mut dyn Read, all: &mut BTreeMap<PathBuf, Expected>) -> Result<(), ImageError> {
    let fail = || at("read a layer of", root);
    for entry in Archive::new(stream).entries().map_err(fail())? {
        let mut entry = entry.map_err(fail())?;
        // Layers write `./etc` as well as `etc`.
        let path: PathBuf = entry.path().map_err(fail())?.components().filter(|c| *c != Component::CurDir).collect();
        if let Some(name) = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_prefix(".wh.")) {
            let parent = path.parent().unwrap_or(Path::new("")).to_owned();
            let gone = if name == ".wh..opq" { parent.clone() } else { path.with_file_name(name) };
            all.retain(|known, _| *known == parent || !known.starts_with(&gone));
            continue;
        }
        let kind = match entry.header().entry_type() {
            EntryType::Directory => Kind::Directory,
            EntryType::Symlink => {
                Kind::Symlink { target: entry.link_name().map_err(fail())?.unwrap_or_default().into_owned() }
            }
            EntryType::Link => Kind::Link,
            EntryType::Regular | EntryType::Continuous => {
                let mut hashing = Hashing::new(&mut entry);
                io::copy(&mut hashing, &mut io::sink()).map_err(fail())?;
                Kind::File { digest: hashing.finish().1 }
            }
            _ => continue,
        };
        let header = entry.header();
        let owner = (header.uid().map_err(fail())?, header.gid().map_err(fail())?);
        all.insert(path, Expected { kind, mode: header.mode().map_err(fail())?, owner });
    }
    Ok(())
}

fn compare(root: &Path, path: &Path, expected: &Expected) -> Result<(), ImageError> {
    let changed = |why: &str| ImageError::Changed { path: path.to_owned(), root: root.to_owned(), why: why.to_owned() };
    let found = fs::symlink_metadata(path).map_err(|_| changed("it is missing"))?;
    let same_kind = match &expected.kind {
        Kind::Directory => found.is_dir(),
        Kind::File { .. } | Kind::Link => found.is_file(),
        Kind::Symlink { target } => found.is_symlink() && fs::read_link(path).is_ok_and(|t| t == *target),
    };
    if !same_kind {
        return Err(changed("it is something else"));
    }
    let Kind::File { digest } = &expected.kind else { return check_owner(&found, expected).map_err(changed) };
    check_owner(&found, expected).map_err(&changed)?;
    let mut hashing = Hashing::new(File::open(path).map_err(at("open", path))?);
    io::copy(&mut hashing, &mut io::sink()).map_err(at("read", path))?;
    if hashing.finish().1 == *digest { Ok(()) } else { Err(changed("its content is different")) }
}

fn check_owner(found: &Metadata, expected: &Expected) -> Result<(), &'static str> {
    if matches!(expected.kind, Kind::Link) {
        return Ok(());
    }
    if (u64::from(found.uid()), u64::from(found.gid())) != expected.owner {
        return Err("its owner is different");
    }
    let symlink = matches!(expected.kind, Kind::Symlink { .. });
    if !symlink && found.mode() & 0o7777 != expected.mode & 0o7777 {
        return Err("its mode is different");
    }
    Ok(())
}
