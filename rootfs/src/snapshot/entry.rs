//! One entry of the stream, written and read: tar's headers (GNU tar manual, "Basic Tar Format"), names of any length and
//! any bytes, maps of sparse files.

use std::io::{self, Read, Write};

use matrixos_types::computer::HOME_ID;
use tar::{EntryType, GnuExtSparseHeader, Header};

use super::sparse::Extent;
use super::{SnapshotError, damaged};

/// Everything in tar comes in blocks of so many bytes.
const BLOCK: u64 = 512;
/// The longest name that is read, in bytes: as many levels as are followed, each of the longest name there is.
const LONGEST: u64 = 600_000;

/// What an entry says beside its name and contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) mode: u32,
    /// Seconds since 1970; what is older counts as of then.
    pub(super) mtime: u64,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    /// A file of `size` bytes; only what the extents name is in the stream.
    File {
        size: u64,
        extents: Vec<Extent>,
    },
    /// A symbolic link, and where it points.
    Link(Vec<u8>),
    /// Another name of a file that came before.
    Again(Vec<u8>),
}

/// An entry as it was read. The contents of a file follow in the stream.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) path: Vec<u8>,
    pub(super) facts: Facts,
    pub(super) kind: Kind,
}

/// Writes everything of an entry but the contents of a file.
pub(super) fn put(out: &mut impl Write, path: &[u8], facts: Facts, kind: &Kind) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_mode(facts.mode);
    header.set_mtime(facts.mtime);
    header.set_uid(u64::from(HOME_ID));
    header.set_gid(u64::from(HOME_ID));
    header.set_size(0);
    match kind {
        Kind::Folder => header.set_entry_type(EntryType::Directory),
        Kind::File { size, extents } if is_whole(*size, extents) => {
            header.set_entry_type(EntryType::Regular);
            header.set_size(*size);
        }
        Kind::File { size, extents } => {
            set_name(out, &mut header, path)?;
            return put_sparse(out, header, *size, extents);
        }
        Kind::Link(to) => set_target(out, &mut header, EntryType::Symlink, to)?,
        Kind::Again(first) => set_target(out, &mut header, EntryType::Link, first)?,
    }
    set_name(out, &mut header, path)?;
    header.set_cksum();
    out.write_all(header.as_bytes())
}

/// Adds a file of the platform's own to a stream.
pub fn add_file(out: &mut impl Write, name: &str, contents: &[u8], mtime: u64) -> io::Result<()> {
    let size = contents.len() as u64;
    let kind = Kind::File { size, extents: vec![Extent { start: 0, length: size }] };
    put(out, name.as_bytes(), Facts { mode: 0o600, mtime }, &kind)?;
    out.write_all(contents)?;
    pad(out, size)
}

/// Ends a stream: two blocks of nothing.
pub fn end(out: &mut impl Write) -> io::Result<()> {
    out.write_all(&[0; 2 * BLOCK as usize])
}

/// Fills up the last block of contents.
pub(super) fn pad(out: &mut impl Write, length: u64) -> io::Result<()> {
    out.write_all(&[0; BLOCK as usize][..padding(length) as usize])
}

/// How many bytes fill up the last block of contents.
pub(super) fn padding(length: u64) -> u64 {
    length.next_multiple_of(BLOCK) - length
}

fn is_whole(size: u64, extents: &[Extent]) -> bool {
    size == 0 || *extents == [Extent { start: 0, length: size }]
}

/// A name that does not fit into the header goes before it, in an entry of its own.
fn set_name(out: &mut impl Write, header: &mut Header, path: &[u8]) -> io::Result<()> {
    let gnu = header.as_gnu_mut().expect("made as such");
    if path.len() > gnu.name.len() {
        put_long(out, EntryType::GNULongName, path)?;
    }
    let fits = path.len().min(gnu.name.len());
    gnu.name[..fits].copy_from_slice(&path[..fits]);
    Ok(())
}

fn set_target(out: &mut impl Write, header: &mut Header, kind: EntryType, to: &[u8]) -> io::Result<()> {
    header.set_entry_type(kind);
    let gnu = header.as_gnu_mut().expect("made as such");
    if to.len() > gnu.linkname.len() {
        put_long(out, EntryType::GNULongLink, to)?;
    }
    let fits = to.len().min(gnu.linkname.len());
    gnu.linkname[..fits].copy_from_slice(&to[..fits]);
    Ok(())
}

fn put_long(out: &mut impl Write, kind: EntryType, name: &[u8]) -> io::Result<()> {
    let mut header = Header::new_gnu();
    let gnu = header.as_gnu_mut().expect("made as such");
    gnu.name[..13].copy_from_slice(b"././@LongLink");
    header.set_entry_type(kind);
    let length = name.len() as u64 + 1;
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(length);
    header.set_cksum();
    out.write_all(header.as_bytes())?;
    out.write_all(name)?;
    out.write_all(&[0])?;
    pad(out, length)
}

/// The map of a sparse file: four extents in the header, as many as are left in blocks of twenty-one behind it. The last
/// one is empty and stands at the end, so that readers know the size.
fn put_sparse(out: &mut impl Write, mut header: Header, size: u64, extents: &[Extent]) -> io::Result<()> {
    let stored = extents.iter().map(|extent| extent.length).sum();
    let mut map: Vec<Extent> = extents.to_vec();
    map.push(Extent { start: size, length: 0 });
    header.set_entry_type(EntryType::GNUSparse);
    header.set_size(stored);
    let gnu = header.as_gnu_mut().expect("made as such");
    gnu.set_real_size(size);
    let mut rest = map.iter();
    for (slot, extent) in gnu.sparse.iter_mut().zip(rest.by_ref()) {
        slot.set_offset(extent.start);
        slot.set_length(extent.length);
    }
    gnu.set_is_extended(rest.len() > 0);
    header.set_cksum();
    out.write_all(header.as_bytes())?;
    while rest.len() > 0 {
        let mut more = GnuExtSparseHeader::new();
        for (slot, extent) in more.sparse.iter_mut().zip(rest.by_ref()) {
            slot.set_offset(extent.start);
            slot.set_length(extent.length);
        }
        more.set_is_extended(rest.len() > 0);
        out.write_all(more.as_bytes())?;
    }
    Ok(())
}

/// Reads the next entry, up to the contents of a file. `None` at the end of the stream.
pub(super) fn take(input: &mut impl Read) -> Result<Option<Entry>, SnapshotError> {
    let (mut long_name, mut long_target) = (None, None);
    loop {
        let mut header = Header::new_gnu();
        input.read_exact(header.as_mut_bytes()).map_err(cut_short)?;
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        check(&header)?;
        match header.entry_type() {
            EntryType::GNULongName => long_name = Some(take_long(input, &header)?),
            EntryType::GNULongLink => long_target = Some(take_long(input, &header)?),
            _ => return entry(input, &header, long_name, long_target).map(Some),
        }
    }
}

fn entry(
    input: &mut impl Read,
    header: &Header,
    name: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
) -> Result<Entry, SnapshotError> {
    let gnu = header.as_gnu().ok_or_else(|| damaged("a header of another format"))?;
    let path = name.unwrap_or_else(|| until_zero(&gnu.name));
    let target = || target.unwrap_or_else(|| until_zero(&gnu.linkname));
    let facts = Facts { mode: header.mode().map_err(odd)? & 0o7777, mtime: header.mtime().map_err(odd)? };
    let stored = header.entry_size().map_err(odd)?;
    let kind = match header.entry_type() {
        EntryType::Directory => Kind::Folder,
        EntryType::Regular => Kind::File { size: stored, extents: whole(stored) },
        EntryType::GNUSparse => take_sparse(input, header, stored)?,
        EntryType::Symlink => Kind::Link(target()),
        EntryType::Link => Kind::Again(target()),
        _ => return Err(damaged("an entry of a kind that is never written")),
    };
    Ok(Entry { path, facts, kind })
}

fn whole(size: u64) -> Vec<Extent> {
    if size == 0 { Vec::new() } else { vec![Extent { start: 0, length: size }] }
}

fn take_sparse(input: &mut impl Read, header: &Header, stored: u64) -> Result<Kind, SnapshotError> {
    let gnu = header.as_gnu().ok_or_else(|| damaged("a header of another format"))?;
    let size = gnu.real_size().map_err(odd)?;
    let mut slots: Vec<(u64, u64)> = Vec::new();
    for slot in gnu.sparse.iter().filter(|slot| !slot.is_empty()) {
        slots.push((slot.offset().map_err(odd)?, slot.length().map_err(odd)?));
    }
    let mut extended = gnu.is_extended();
    while extended {
        let mut more = GnuExtSparseHeader::new();
        input.read_exact(more.as_mut_bytes()).map_err(cut_short)?;
        for slot in more.sparse.iter().filter(|slot| !slot.is_empty()) {
            slots.push((slot.offset().map_err(odd)?, slot.length().map_err(odd)?));
        }
        extended = more.is_extended();
    }
    let extents: Vec<Extent> =
        slots.into_iter().filter(|(_, length)| *length > 0).map(|(start, length)| Extent { start, length }).collect();
    let mut reached = 0;
    for Extent { start, length } in &extents {
        let after = start.checked_add(*length).filter(|after| *start >= reached && *after <= size);
        reached = after.ok_or_else(|| damaged("a sparse file whose parts overlap"))?;
    }
    if extents.iter().map(|extent| extent.length).sum::<u64>() != stored {
        return Err(damaged("a sparse file whose parts do not add up"));
    }
    Ok(Kind::File { size, extents })
}

fn take_long(input: &mut impl Read, header: &Header) -> Result<Vec<u8>, SnapshotError> {
    let length = header.entry_size().map_err(odd)?;
    if length > LONGEST {
        return Err(damaged("a name that is too long"));
    }
    let mut name = vec![0; usize::try_from(length + padding(length)).map_err(|_| damaged("a name"))?];
    input.read_exact(&mut name).map_err(cut_short)?;
    Ok(until_zero(&name))
}

fn until_zero(bytes: &[u8]) -> Vec<u8> {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default().to_vec()
}

/// The sum of all bytes of the header, its own field counted as spaces.
fn check(header: &Header) -> Result<(), SnapshotError> {
    let mut again = header.clone();
    again.set_cksum();
    if header.cksum().ok() == again.cksum().ok() { Ok(()) } else { Err(damaged("a header with a wrong sum")) }
}

fn odd(error: io::Error) -> SnapshotError {
    damaged(&error.to_string())
}

/// What reading the stream fails with: its end, or what the decoder found.
pub(super) fn cut_short(error: io::Error) -> SnapshotError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => damaged("it ends too early"),
        _ => odd(error),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_name() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(1u8.., 1..400)
    }

    fn any_kind() -> impl Strategy<Value = Kind> {
        let part = (1u64..1 << 40, 1u64..1 << 33);
        prop_oneof![
            Just(Kind::Folder),
            (0u64..1 << 40).prop_map(|size| Kind::File { size, extents: whole(size) }),
            (prop::collection::vec(part, 0..60), 1u64..99).prop_map(|(parts, after)| sparse(&parts, after)),
            any_name().prop_map(Kind::Link),
            any_name().prop_map(Kind::Again),
        ]
    }

    fn sparse(parts: &[(u64, u64)], after: u64) -> Kind {
        let mut end = 0;
        let extents = parts.iter().map(|(gap, length)| {
            let start = end + gap;
            end = start + length;
            Extent { start, length: *length }
        });
        Kind::File { extents: extents.collect(), size: end + after }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(path in any_name(), mode in 0u32..0o10000, mtime in 0u64..1 << 40, kind in any_kind()) {
            let facts = Facts { mode, mtime };
            let mut stream = Vec::new();
            put(&mut stream, &path, facts, &kind).expect("written");
            end(&mut stream).expect("written");
            let mut input = stream.as_slice();
            let read = take(&mut input).expect("read").expect("an entry");
            prop_assert_eq!((read.path, read.facts, read.kind), (path, facts, kind));
            prop_assert!(take(&mut input).expect("read").is_none());
        }

        #[test]
        fn no_bytes_make_the_reader_fall_over(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
            let mut input = bytes.as_slice();
            while let Ok(Some(_)) = take(&mut input) {}
        }

        #[test]
        fn a_changed_header_is_noticed(path in any_name(), at in 0usize..512, by in 1u8..) {
            let mut stream = Vec::new();
            put(&mut stream, &path, Facts { mode: 0o644, mtime: 7 }, &Kind::Folder).expect("written");
            let last = stream.len() - 512 + at;
            stream[last] = stream[last].wrapping_add(by);
            // The sum's own field is text with a terminator that nobody reads.
            let same = (148..156).contains(&at);
            prop_assert!(same || take(&mut stream.as_slice()).is_err());
        }
    }
}
