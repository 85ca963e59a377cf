//! Layers: tar streams, compressed with zstd, stored as blobs while they are made and checked while they are read.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use oci_spec::image::{Descriptor, MediaType};
use serde::{Deserialize, Serialize};

use super::layout::{self, Hashing};
use super::{ImageError, at};

/// Fast, and within a few per cent of the size of the slow levels.
const COMPRESSION: i32 = 3;

/// A stored layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Layer {
    /// Digest of the compressed blob.
    pub(super) digest: String,
    /// Bytes of the compressed blob.
    pub(super) size: u64,
    /// Digest of the tar stream (`rootfs.diff_ids` of the image's configuration).
    pub(super) diff_id: String,
}

impl Layer {
    pub(super) fn descriptor(&self) -> Result<Descriptor, ImageError> {
        layout::describe(MediaType::ImageLayerZstd, &self.digest, self.size)
    }
}

type Sink<'a> = &'a mut dyn Write;

/// Stores whatever tar stream `fill` writes.
pub(super) fn store(data: &Path, fill: impl FnOnce(Sink<'_>) -> Result<(), ImageError>) -> Result<Layer, ImageError> {
    let folder = layout::directory(data).join("blobs/sha256");
    let draft = tempfile::NamedTempFile::new_in(&folder).map_err(at("write in", &folder))?;
    let fail = || at("compress a layer in", &folder);
    let encoder = zstd::Encoder::new(Hashing::new(draft), COMPRESSION).map_err(fail())?;
    let mut stream = Hashing::new(encoder);
    fill(&mut stream)?;
    let (encoder, diff_id, _) = stream.finish();
    let (draft, digest, size) = encoder.finish().map_err(fail())?.finish();
    draft.as_file().sync_all().map_err(fail())?;
    let target = layout::blob(data, &digest)?;
    draft.persist(&target).map_err(|e| at("name", &target)(e.error))?;
    Ok(Layer { digest, size, diff_id })
}

/// Reads a layer's tar stream with `work`, and fails unless the blob was read to its end and is what its name says.
pub(super) fn read<T>(
    data: &Path,
    layer: &Descriptor,
    work: impl FnOnce(&mut dyn Read) -> Result<T, ImageError>,
) -> Result<T, ImageError> {
    let digest = layer.digest().to_string();
    let path = layout::blob(data, &digest)?;
    let mut blob = Hashing::new(File::open(&path).map_err(at("open", &path))?);
    let result = match layer.media_type() {
        MediaType::ImageLayer => work(&mut blob),
        MediaType::ImageLayerZstd => {
            let mut stream = zstd::Decoder::new(&mut blob).map_err(at("decompress", &path))?;
            let result = work(&mut stream);
            // A damaged blob must be reported as such, so the rest is read (and hashed) in any case.
            let _ = io::copy(&mut stream, &mut io::sink());
            result
        }
        other => return Err(ImageError::MediaType(other.to_string())),
    };
    io::copy(&mut blob, &mut io::sink()).map_err(at("read", &path))?;
    blob.check(&digest, Some(layer.size()))?;
    result
}
