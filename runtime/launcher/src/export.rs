//! An export: all the files of somebody and what the platform knows of them, written into a pipe as tar.gz, whether their
//! computer runs, sleeps or is archived. Runs in a child of its own, which ends when nobody reads any more.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{SystemTime, UNIX_EPOCH};

use flate2::Compression;
use flate2::write::GzEncoder;
use matrixos_rootfs::snapshot::{self, Manner, Place};
use matrixos_rootfs::tenant::{TenantFileError, TenantHome};
use matrixos_rootfs::{quota, tree};
use matrixos_runtime::frames::Frames;
use matrixos_runtime::protocol::{ABOUT, Failure};
use matrixos_types::{Handle, Seat};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::process::nice;
use rustix::thread::CapabilitySet;

use crate::confined::{self, May};
use crate::files::refusal;
use crate::house::House;
use crate::removal::failed;

/// How long a reader may take no byte, in milliseconds.
const STALLED: u16 = 60_000;
/// Downloads yield to everything else.
const GENTLY: i32 = 15;

/// Where somebody's files are.
enum Source {
    Archive(File),
    Home(TenantHome),
    /// Their computer has never run.
    Nowhere,
}

/// Writes the whole of it, and then its end.
pub(crate) fn write(house: &House, seat: Seat, handle: &Handle, about: OwnedFd, pipe: OwnedFd) -> Result<(), Failure> {
    let io = |error: io::Error| failed("export", error);
    let _ = nice(GENTLY);
    confined::own_mounts().map_err(io)?;
    let mut account = Vec::new();
    File::from(about).take(ABOUT).read_to_end(&mut account).map_err(io)?;
    let source = source(house, seat, handle)?;
    match &source {
        Source::Home(home) => confined::lock_in(home.folder(), May::Read).map_err(io)?,
        Source::Archive(_) | Source::Nowhere => confined::keep(CapabilitySet::empty()).map_err(io)?,
    }
    let mut out = GzEncoder::new(Frames::new(Patient::new(pipe).map_err(io)?), Compression::fast());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    snapshot::add_file(&mut out, "account.json", &account, now).map_err(io)?;
    // Whoever waits for the first byte is told by it that the files were found.
    out.flush().map_err(io)?;
    match &source {
        Source::Archive(file) => snapshot::copy(file, &mut out).map(drop),
        Source::Home(home) => snapshot::pack(home.folder(), home.ids(), Manner::AsFound, &mut out).map(drop),
        Source::Nowhere => return snapshot::end(&mut out).and_then(|()| out.finish()?.finish()).map_err(io),
    }
    .map_err(|error| refusal("export", &error))?;
    out.finish().and_then(Frames::finish).map_err(io)
}

fn source(house: &House, seat: Seat, handle: &Handle) -> Result<Source, Failure> {
    let users = house.users();
    let place = Place { users: &users, handle, seat };
    let wrong = |error| refusal("export", &error);
    if snapshot::is_archived(&place).map_err(wrong)? {
        return snapshot::open_archive(&place).map(Source::Archive).map_err(wrong);
    }
    match TenantHome::open(&users, handle, seat) {
        Err(TenantFileError::NoHome(error)) if error.kind() == ErrorKind::NotFound => return Ok(Source::Nowhere),
        Err(error) => return Err(failed("export", error)),
        Ok(_) => {}
    }
    quota::show(&tree::folder(&users, handle)).map_err(|error| failed("export", error))?;
    TenantHome::open(&users, handle, seat).map(Source::Home).map_err(|error| failed("export", error))
}

/// A pipe whose reader may take its time, but not for ever.
struct Patient(File);

impl Patient {
    fn new(pipe: OwnedFd) -> io::Result<Self> {
        fcntl(&pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Self(File::from(pipe)))
    }

    fn wait(&self) -> io::Result<()> {
        let mut fds = [PollFd::new(self.0.as_fd(), PollFlags::POLLOUT)];
        match poll(&mut fds, PollTimeout::from(STALLED)) {
            Ok(0) => Err(io::Error::new(ErrorKind::TimedOut, "nobody reads it any more")),
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Write for Patient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait()?,
                other => return other,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
