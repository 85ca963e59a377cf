//! The slate: leases on the disk before the database settles, because that takes sled several times as long as one write
//! into a file whose blocks are there already.
//!
//! It says nothing that the database does not know, but for the moments until its next settlement. After a crash the
//! leases that the database had not settled are put into it, and the slate is wiped: it needs no backup and no repair.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use matrixos_types::fail;
use sha2::{Digest, Sha256};

use super::records::Lease;

const NAME: &str = "holds";
/// Bytes of a block, which a disk writes as one; a torn one is known by its digest, and was never acknowledged.
const BLOCK: usize = 4096;
/// Blocks, after which the database is settled instead.
const BLOCKS: usize = 256;
const DIGEST: usize = 32;
const HEAD: usize = DIGEST + 4;

/// The open file.
pub(super) struct Slate {
    file: File,
    /// How many blocks are written since the database was settled.
    used: Mutex<usize>,
}

impl Slate {
    /// Opens the slate in `folder`, or makes it; also gives the leases on it, which a crash may have left there.
    pub(super) fn open(folder: &Path) -> io::Result<(Self, Vec<Lease>)> {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(folder.join(NAME))?;
        let mut blocks = vec![0; BLOCK * BLOCKS];
        let found = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX).min(blocks.len());
        file.read_exact_at(&mut blocks[..found], 0)?;
        let leases = blocks.chunks(BLOCK).filter_map(read).flatten().collect();
        let slate = Self { file, used: Mutex::new(0) };
        if found < blocks.len() {
            slate.wipe()?;
        }
        Ok((slate, leases))
    }

    /// Writes leases down; false if there is no room for them, or for one of them.
    pub(super) fn write(&self, leases: &[&Lease]) -> io::Result<bool> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(blocks) = blocks(leases) else { return Ok(false) };
        let count = blocks.len() / BLOCK;
        if *used + count > BLOCKS || fail::disk_is_broken() {
            return Ok(false);
        }
        self.file.write_all_at(&blocks, (*used * BLOCK) as u64)?;
        self.file.sync_data()?;
        fail::effect("hold");
        *used += count;
        Ok(true)
    }

    /// The database has settled: what is written here is written there.
    pub(super) fn clear(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = 0;
    }

    /// Writes zeros over all of it, so that its blocks are there and say nothing.
    pub(super) fn wipe(&self) -> io::Result<()> {
        self.file.write_all_at(&vec![0; BLOCK * BLOCKS], 0)?;
        self.file.sync_all()?;
        self.clear();
        Ok(())
    }
}

/// As many leases to a block as fit.
fn blocks(leases: &[&Lease]) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    let mut rest = leases;
    while !rest.is_empty() {
        let fits = (1..=rest.len()).rev().find_map(|count| Some((count, block(&rest[..count])?)));
        let (count, block) = fits?;
        all.extend(block);
        rest = &rest[count..];
    }
    Some(all)
}

fn block(leases: &[&Lease]) -> Option<Vec<u8>> {
    let json = serde_json::to_vec(leases).ok()?;
    if HEAD + json.len() > BLOCK {
        return None;
    }
    let mut body = u32::try_from(json.len()).ok()?.to_be_bytes().to_vec();
    body.extend(json);
    let mut block = Sha256::digest(&body).to_vec();
    block.extend(body);
    block.resize(BLOCK, 0);
    Some(block)
}

/// The leases of a block; `None` if it was never written whole.
fn read(block: &[u8]) -> Option<Vec<Lease>> {
    let (digest, body) = block.split_at_checked(DIGEST)?;
    let length = u32::from_be_bytes(body.first_chunk::<4>().copied()?);
    let body = body.get(..4 + usize::try_from(length).ok()?)?;
    if Sha256::digest(body)[..] != *digest {
        return None;
    }
    serde_json::from_slice(&body[4..]).ok()
}

#[cfg(test)]
mod tests {
    use matrixos_types::{ContainerId, Nanos, UserId};

    use super::*;

    fn lease(number: u64) -> Lease {
        let model = "claude-opus-5-5".to_owned();
        let container = ContainerId::random();
        Lease { user: UserId::random(), number, container, model, amount: Nanos(number), at: 7 }
    }

    fn written(folder: &Path) -> Vec<Lease> {
        Slate::open(folder).expect("a slate").1
    }

    #[test]
    fn what_was_written_is_found_and_what_was_torn_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let (slate, found) = Slate::open(folder.path()).expect("a slate");
        assert_eq!(found, []);
        let leases: Vec<Lease> = (0..40).map(lease).collect();
        assert!(slate.write(&leases[..1].iter().collect::<Vec<_>>()).expect("written"));
        assert!(slate.write(&leases[1..].iter().collect::<Vec<_>>()).expect("written"));
        assert_eq!(written(folder.path()), leases);
        slate.file.write_all_at(b"torn", (BLOCK + 100) as u64).expect("written");
        let left = written(folder.path());
        assert!(left.len() < 40 && left.contains(&leases[0]) && !left.contains(&leases[1]), "{left:?}");
        slate.wipe().expect("wiped");
        assert_eq!(written(folder.path()), []);
    }

    #[test]
    fn a_full_slate_says_so_and_one_that_is_cleared_begins_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let (slate, _) = Slate::open(folder.path()).expect("a slate");
        let one = lease(1);
        for _ in 0..BLOCKS {
            assert!(slate.write(&[&one]).expect("written"));
        }
        assert!(!slate.write(&[&one]).expect("no room"));
        slate.clear();
        let two = lease(2);
        assert!(slate.write(&[&two]).expect("written"));
        assert_eq!(written(folder.path()).first(), Some(&two));
        let large = Lease { model: "x".repeat(BLOCK), ..lease(3) };
        assert!(!slate.write(&[&large]).expect("it fits no block"));
    }

    #[test]
    fn no_bytes_are_taken_for_leases() {
        assert!(read(&[0; BLOCK]).is_none());
        assert!(read(&[]).is_none());
        assert!(read(&[255; BLOCK]).is_none());
    }
}
