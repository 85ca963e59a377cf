//! The image that all computers run from: built without a daemon, kept as an OCI layout, verified, unpacked once.

mod build;
mod layer;
mod layout;
mod unpack;
mod verify;

use std::io;
use std::path::{Path, PathBuf};

use oci_spec::image::{Descriptor, ImageManifest};

pub use build::{Parts, build};
pub use layout::{Listed, import, list};
pub use verify::verify;

/// The tag of the image that new launches use.
pub const TAG: &str = "computer";

/// What went wrong with an image, and where.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// A file operation failed.
    #[error("{step} {}: {source}", path.display())]
    Io {
        /// Which step.
        step: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A JSON document of the layout is not what the image specification says.
    #[error("{} is not a valid image document: {source}", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// Why.
        source: oci_spec::OciSpecError,
    },
    /// There is no image.
    #[error("there is no image of the computers yet; make one: matrixos image build")]
    Missing,
    /// Not `sha256:` and 64 hexadecimal digits.
    #[error("{0:?} is not a sha256 digest")]
    Digest(String),
    /// A blob's content is not what its name says.
    #[error("the blob {digest} is damaged ({why}); make the image anew: matrixos image build")]
    Blob {
        /// Its name.
        digest: String,
        /// What differs.
        why: String,
    },
    /// A layer holds something that an image of a computer must not hold.
    #[error("the image holds {path:?}, {why}; it was not unpacked")]
    Forbidden {
        /// The path in the layer.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The unpacked files are not those of the image.
    #[error("{} differs from the image ({why}); remove {} and start again: it is unpacked anew", path.display(), root.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// The root it is in.
        root: PathBuf,
        /// What differs.
        why: String,
    },
    /// A tool that builds the image failed.
    #[error("{tool} did not succeed: {message}")]
    Tool {
        /// Which tool.
        tool: &'static str,
        /// The last it said.
        message: String,
    },
    /// A kind of layer this program cannot read.
    #[error("the image has a layer of type {0}; only tar and tar+zstd layers are known")]
    MediaType(String),
}

pub(crate) fn at<'a>(step: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> ImageError + 'a {
    move |source| ImageError::Io { step, path: path.to_owned(), source }
}

/// Where the unpacked roots lie.
pub fn roots(data: &Path) -> PathBuf {
    data.join("images/roots")
}

/// The digest of the image that new launches use.
pub fn current(data: &Path) -> Result<String, ImageError> {
    layout::tagged(data, TAG)?.map(|d| d.digest().to_string()).ok_or(ImageError::Missing)
}

/// Unpacks the image if that has not been done, checking every blob on the way, and returns its root.
pub fn ensure_unpacked(data: &Path, digest: &str) -> Result<PathBuf, ImageError> {
    match root(data, digest) {
        Err(ImageError::Missing) => unpack::unpack(data, digest),
        other => other,
    }
}

/// The root of an image that is unpacked completely. Cheap: called at each launch.
pub fn root(data: &Path, digest: &str) -> Result<PathBuf, ImageError> {
    let root = roots(data).join(hex(digest)?);
    match std::fs::symlink_metadata(&root) {
        // A root gets its name only once it is complete.
        Ok(found) if found.is_dir() => Ok(root),
        _ => Err(ImageError::Missing),
    }
}

/// The 64 hexadecimal digits of a `sha256:` digest.
fn hex(digest: &str) -> Result<&str, ImageError> {
    let hex = digest
        .strip_prefix("sha256:")
        .filter(|h| h.len() == 64 && h.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
    hex.ok_or_else(|| ImageError::Digest(digest.to_owned()))
}

fn manifest(data: &Path, digest: &str) -> Result<ImageManifest, ImageError> {
    let path = layout::blob(data, digest)?;
    ImageManifest::from_file(&path).map_err(|source| ImageError::Document { path, source })
}

/// Keeps two commands from changing the images at once; held until it is dropped.
fn lock(data: &Path) -> Result<std::fs::File, ImageError> {
    let path = data.join("images/lock");
    let file = std::fs::File::create(&path).map_err(at("open", &path))?;
    file.lock().map_err(at("lock", &path))?;
    Ok(file)
}

/// Every blob an image consists of: manifest, configuration, layers.
fn parts(data: &Path, digest: &str) -> Result<Vec<(String, Option<u64>)>, ImageError> {
    let manifest = manifest(data, digest)?;
    let named = |d: &Descriptor| (d.digest().to_string(), Some(d.size()));
    let mut all = vec![(digest.to_owned(), None), named(manifest.config())];
    all.extend(manifest.layers().iter().map(named));
    Ok(all)
}
