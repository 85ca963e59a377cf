//! An archive as a file: a label, then the stream, compressed by zstd. The label stands in a frame that every program
//! for zstd passes over (RFC 8878, section 3.1.2), so `zstd -d` and `tar` open the file as well.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

use rustix::fs::{Advice, fadvise};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::entry::cut_short;
use super::pack::{Manner, Tally, drain, pack};
use super::{SnapshotError, damaged};

/// The magic number of a frame that is passed over, and how long it is.
const FRAME: [u8; 8] = [0x50, 0x2a, 0x4d, 0x18, 0xf8, 0, 0, 0];
/// The label's place: a frame of 256 bytes, 8 of them its own head.
const LABEL: usize = 248;
/// zstd's own default: 500 MB a second and a third of the size.
const LEVEL: i32 = 3;

/// What an archive says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The format.
    version: u32,
    /// Files, folders and links in it.
    pub entries: u64,
    /// What its contents take on a disk once they are unpacked.
    pub bytes: u64,
    /// What was left out: sockets, pipes and devices.
    pub left_out: u64,
    /// SHA-256 of the stream, in hexadecimal.
    sha256: String,
}

/// Packs a home into an empty file, until the file is on the disk.
pub fn write(home: impl AsFd, ids: Range<u32>, file: &File) -> Result<Label, SnapshotError> {
    let io = |error: io::Error| super::entry("write", b"the archive")(error);
    let mut out = file;
    out.write_all(&[0; FRAME.len() + LABEL]).map_err(io)?;
    let mut encoder = zstd::Encoder::new(out, LEVEL).map_err(io)?;
    encoder.include_checksum(true).map_err(io)?;
    let mut hashing = Hashing { inner: encoder, hash: Sha256::new() };
    let tally = pack(home, ids, Manner::Whole, &mut hashing)?;
    let Hashing { inner, hash } = hashing;
    inner.finish().map_err(io)?;
    let label = labelled(&tally, &hash);
    let mut text = serde_json::to_vec(&label).map_err(|error| io(error.into()))?;
    text.resize(LABEL, b' ');
    file.write_all_at(&[&FRAME[..], &text].concat(), 0).map_err(io)?;
    file.sync_all().map_err(io)?;
    Ok(label)
}

fn labelled(tally: &Tally, hash: &Sha256) -> Label {
    let digest = hash.clone().finalize();
    let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Label { version: 1, entries: tally.entries, bytes: tally.bytes, left_out: tally.special, sha256 }
}

/// What an archive says about itself. Nothing else of it is read.
pub fn label(file: &File) -> Result<Label, SnapshotError> {
    let mut head = [0; FRAME.len() + LABEL];
    file.read_exact_at(&mut head, 0).map_err(cut_short)?;
    let (frame, text) = head.split_at(FRAME.len());
    let label: Option<Label> = serde_json::from_slice(text).ok();
    match label {
        Some(label) if frame == FRAME && label.version == 1 => Ok(label),
        Some(label) if frame == FRAME => Err(damaged(&format!("it has the unknown version {}", label.version))),
        _ => Err(damaged("it has no label")),
    }
}

/// Reads an archive whole, from the disk, and compares it with what was packed.
pub fn verify(file: &File) -> Result<Label, SnapshotError> {
    // What the kernel still holds of it proves nothing about the disk.
    let _ = fadvise(file, 0, None, Advice::DontNeed);
    read(file, drain_stream)
}

fn drain_stream(stream: &mut dyn Read) -> Result<(), SnapshotError> {
    drain(&mut { stream }).map_err(cut_short)
}

/// Makes the tree that an archive holds, in an empty home.
pub fn unpack(file: &File, home: impl AsFd) -> Result<Label, SnapshotError> {
    read(file, |stream| super::unpack::unpack(&mut { stream }, home))
}

/// Gives the stream of an archive to `work`, which reads it to its end, and then compares it with what was packed.
fn read<T>(file: &File, work: impl FnOnce(&mut dyn Read) -> Result<T, SnapshotError>) -> Result<Label, SnapshotError> {
    let label = label(file)?;
    let mut input = file;
    input.seek(SeekFrom::Start(0)).map_err(cut_short)?;
    let decoder = zstd::Decoder::new(input).map_err(cut_short)?;
    let mut hashing = Hashing { inner: decoder, hash: Sha256::new() };
    work(&mut hashing)?;
    let found: String = hashing.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if found == label.sha256 { Ok(label) } else { Err(damaged("it is not what was packed")) }
}

/// Copies the stream of an archive, checked like everything that is read of one.
pub fn copy(file: &File, out: &mut impl Write) -> Result<Label, SnapshotError> {
    read(file, |stream| io::copy(stream, out).map_err(super::entry("copy", b"the archive")))
}

struct Hashing<T> {
    inner: T,
    hash: Sha256,
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hash.update(&buffer[..read]);
        Ok(read)
    }
}
