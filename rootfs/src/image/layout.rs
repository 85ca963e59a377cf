//! The OCI image layout on disk (image specification 1.1, image-layout.md): blobs by digest, one index. Every file is
//! written under another name, flushed, and then named, so that a cut leaves the old state or the new one.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use oci_spec::image::{
    Descriptor, DescriptorBuilder, ImageIndex, ImageIndexBuilder, MediaType, SCHEMA_VERSION, Sha256Digest,
};
use sha2::{Digest, Sha256};

use super::{ImageError, at, hex};

const REF_NAME: &str = "org.opencontainers.image.ref.name";
const CREATED: &str = "org.opencontainers.image.created";

/// An image of the layout, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Digest of its manifest.
    pub digest: String,
    /// Its tag, if it has one.
    pub tag: Option<String>,
    /// When it was made (RFC 3339), if that is recorded.
    pub created: Option<String>,
    /// Bytes of all of its blobs.
    pub size: u64,
    /// Whether it is unpacked.
    pub unpacked: bool,
}

pub(super) fn directory(data: &Path) -> PathBuf {
    data.join("images/oci")
}

pub(super) fn blob(data: &Path, digest: &str) -> Result<PathBuf, ImageError> {
    Ok(directory(data).join("blobs/sha256").join(hex(digest)?))
}

/// Makes an empty layout where there is none.
pub(super) fn ensure(data: &Path) -> Result<(), ImageError> {
    let directory = directory(data);
    fs::create_dir_all(directory.join("blobs/sha256")).map_err(at("make", &directory))?;
    let version = directory.join("oci-layout");
    if !version.exists() {
        write(&version, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    }
    Ok(())
}

/// Writes a file so that it is there completely or not at all, also after a power cut.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), ImageError> {
    let parent = path.parent().expect("every file of a layout has a parent");
    let mut draft = tempfile::NamedTempFile::new_in(parent).map_err(at("write in", parent))?;
    draft.write_all(bytes).and_then(|()| draft.as_file().sync_all()).map_err(at("write", path))?;
    draft.persist(path).map_err(|e| at("name", path)(e.error))?;
    File::open(parent).and_then(|d| d.sync_all()).map_err(at("flush", parent))
}

/// Stores a small blob and describes it.
pub(super) fn put(data: &Path, media: MediaType, bytes: &[u8]) -> Result<Descriptor, ImageError> {
    let digest = format!("sha256:{}", to_hex(&Sha256::digest(bytes)));
    write(&blob(data, &digest)?, bytes)?;
    describe(media, &digest, bytes.len() as u64)
}

pub(super) fn describe(media: MediaType, digest: &str, size: u64) -> Result<Descriptor, ImageError> {
    let parsed: Sha256Digest = hex(digest)?.parse().map_err(|_| ImageError::Digest(digest.to_owned()))?;
    Ok(DescriptorBuilder::default()
        .media_type(media)
        .digest(parsed)
        .size(size)
        .build()
        .expect("all required fields are set"))
}

pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn index(data: &Path) -> Result<Option<ImageIndex>, ImageError> {
    let path = directory(data).join("index.json");
    if !path.exists() {
        return Ok(None);
    }
    ImageIndex::from_file(&path).map(Some).map_err(|source| ImageError::Document { path, source })
}

/// Enters an image under a tag; the image that had the tag loses it.
pub(super) fn tag(data: &Path, manifest: &Descriptor, tag: &str, created: &str) -> Result<(), ImageError> {
    let mut images: Vec<Descriptor> = index(data)?.map(|i| i.manifests().clone()).unwrap_or_default();
    images.retain(|d| d.digest() != manifest.digest());
    for image in &mut images {
        let mut notes = image.annotations().clone().unwrap_or_default();
        if notes.get(REF_NAME).is_some_and(|t| t == tag) {
            notes.remove(REF_NAME);
            image.set_annotations(Some(notes));
        }
    }
    let notes = HashMap::from([(REF_NAME.to_owned(), tag.to_owned()), (CREATED.to_owned(), created.to_owned())]);
    let mut entry = manifest.clone();
    entry.set_annotations(Some(notes));
    images.push(entry);
    let index = ImageIndexBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageIndex)
        .manifests(images)
        .build()
        .expect("all required fields are set");
    let text = index.to_string_pretty().expect("an index is JSON");
    write(&directory(data).join("index.json"), text.as_bytes())
}

fn note(descriptor: &Descriptor, key: &str) -> Option<String> {
    descriptor.annotations().as_ref()?.get(key).cloned()
}

pub(super) fn tagged(data: &Path, tag: &str) -> Result<Option<Descriptor>, ImageError> {
    let images = index(data)?.map(|i| i.manifests().clone()).unwrap_or_default();
    Ok(images.into_iter().find(|d| note(d, REF_NAME).is_some_and(|t| t == tag)))
}

/// Every image of the layout, the newest last.
pub fn list(data: &Path) -> Result<Vec<Listed>, ImageError> {
    let images = index(data)?.map(|i| i.manifests().clone()).unwrap_or_default();
    let one = |image: &Descriptor| {
        let digest = image.digest().to_string();
        let size = super::parts(data, &digest)?.iter().filter_map(|(_, size)| *size).sum::<u64>() + image.size();
        let unpacked = super::root(data, &digest).is_ok();
        Ok(Listed { tag: note(image, REF_NAME), created: note(image, CREATED), size, unpacked, digest })
    };
    images.iter().map(one).collect()
}

/// Takes the image with the tag `computer` (or the only one) from another OCI layout directory. Every blob is checked
/// before the image counts. Returns its digest.
pub fn import(data: &Path, from: &Path) -> Result<String, ImageError> {
    let path = from.join("index.json");
    let index = ImageIndex::from_file(&path).map_err(|source| ImageError::Document { path, source })?;
    let images = index.manifests();
    let chosen = images.iter().find(|d| note(d, REF_NAME).is_some_and(|t| t == super::TAG)).or(images.first());
    let chosen = chosen.ok_or(ImageError::Missing)?;
    ensure(data)?;
    let _lock = super::lock(data)?;
    let digest = chosen.digest().to_string();
    copy(data, from, &digest, Some(chosen.size()))?;
    for (part, size) in super::parts(data, &digest)?.into_iter().skip(1) {
        copy(data, from, &part, size)?;
    }
    tag(data, chosen, super::TAG, &note(chosen, CREATED).unwrap_or_default())?;
    Ok(digest)
}

fn copy(data: &Path, from: &Path, digest: &str, size: Option<u64>) -> Result<(), ImageError> {
    let (source, target) = (from.join("blobs/sha256").join(hex(digest)?), blob(data, digest)?);
    let parent = target.parent().expect("a blob has a parent");
    let mut draft = tempfile::NamedTempFile::new_in(parent).map_err(at("write in", parent))?;
    let mut reader = Hashing::new(File::open(&source).map_err(at("open", &source))?);
    io::copy(&mut reader, &mut draft).map_err(at("copy", &source))?;
    reader.check(digest, size)?;
    draft.as_file().sync_all().map_err(at("flush", &target))?;
    draft.persist(&target).map_err(|e| at("name", &target)(e.error))?;
    Ok(())
}

/// A reader (or writer) that hashes and counts what passes.
pub(super) struct Hashing<T> {
    inner: T,
    hash: Sha256,
    count: u64,
}

impl<T> Hashing<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner, hash: Sha256::new(), count: 0 }
    }

    /// The inner value, the digest and the number of bytes.
    pub(super) fn finish(self) -> (T, String, u64) {
        (self.inner, format!("sha256:{}", to_hex(&self.hash.finalize())), self.count)
    }

    /// Fails unless exactly the named content has passed.
    pub(super) fn check(self, digest: &str, size: Option<u64>) -> Result<(), ImageError> {
        let (_, found, count) = self.finish();
        let why = match size {
            Some(expected) if expected != count => format!("it has {count} bytes instead of {expected}"),
            _ if found != digest => format!("its content is {found}"),
            _ => return Ok(()),
        };
        Err(ImageError::Blob { digest: digest.to_owned(), why })
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.count += bytes.len() as u64;
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.pass(&buffer[..n]);
        Ok(n)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.pass(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
