//! Changes of the owner's files, whoever makes them, told to the desktops (inotify(7)). Bounded in folders and in what
//! is told at once.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use matrixos_types::kernel::{Change, Event, FileChange};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};

use crate::publisher::Publisher;
use crate::state::Gateway;

/// Folders that are watched; changes in others are not told.
const FOLDERS: usize = 1_000;
const DEPTH: usize = 8;
/// Changes told at once; of more, only that there are more.
const TOLD: usize = 200;
/// What happens within this time is told together.
const TOGETHER: Duration = Duration::from_millis(60);
/// Folders in which much happens and nobody looks.
const PASSED_OVER: &[&str] =
    &[".git", ".trash", "node_modules", ".cache", "__pycache__", "conversations", "logs", "mailboxes"];

struct Watch {
    home: PathBuf,
    inotify: Inotify,
    folders: HashMap<WatchDescriptor, PathBuf>,
    changes: BTreeMap<String, Change>,
    more: bool,
}

/// Watches on a thread of its own, until it cannot any more.
pub(crate) fn start(gateway: Gateway) -> io::Result<()> {
    let watch = || {
        if let Err(error) = run(gateway) {
            eprintln!("matrixos-gateway: watching files: {error}");
        }
    };
    std::thread::Builder::new().name("watch".to_owned()).stack_size(256 << 10).spawn(watch).map(drop)
}

fn run(gateway: Gateway) -> io::Result<()> {
    let mut watch = Watch {
        home: gateway.settings.home.clone(),
        inotify: Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?,
        folders: HashMap::new(),
        changes: BTreeMap::new(),
        more: false,
    };
    watch.add(Path::new(""), 0, false);
    loop {
        watch.wait()?;
        sleep(TOGETHER);
        watch.drain()?;
        watch.tell(&gateway);
    }
}

impl Watch {
    fn wait(&self) -> io::Result<()> {
        match poll(&mut [PollFd::new(self.inotify.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Watches a folder and those below it. In a new one, what is there already has just come.
    fn add(&mut self, folder: &Path, depth: usize, new: bool) {
        if self.folders.len() >= FOLDERS || depth > DEPTH {
            return;
        }
        let flags = AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_MOVED_FROM
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_ONLYDIR
            | AddWatchFlags::IN_DONT_FOLLOW;
        let whole = self.home.join(folder);
        // A folder that went again, or one too many for the kernel: it is not watched.
        let Ok(descriptor) = self.inotify.add_watch(&whole, flags) else { return };
        self.folders.insert(descriptor, folder.to_owned());
        for entry in std::fs::read_dir(&whole).into_iter().flatten().flatten() {
            let (path, kind) = (folder.join(entry.file_name()), entry.file_type());
            match kind {
                Ok(kind) if kind.is_dir() && is_watched(&path) => self.add(&path, depth + 1, new),
                Ok(kind) if kind.is_file() && new => self.note(&path, Change::Written),
                _ => {}
            }
        }
    }

    fn drain(&mut self) -> io::Result<()> {
        loop {
            match self.inotify.read_events() {
                Ok(events) if events.is_empty() => return Ok(()),
                Ok(events) => events.into_iter().for_each(|event| self.take(event)),
                Err(Errno::EAGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn take(&mut self, event: InotifyEvent) {
        let mask = event.mask;
        if mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
            self.more = true;
        }
        if mask.contains(AddWatchFlags::IN_IGNORED) {
            self.folders.remove(&event.wd);
            return;
        }
        let Some((folder, name)) = self.folders.get(&event.wd).zip(event.name.as_ref()) else { return };
        let path = folder.join(name);
        let folder = mask.contains(AddWatchFlags::IN_ISDIR);
        let gone = mask.intersects(AddWatchFlags::IN_DELETE | AddWatchFlags::IN_MOVED_FROM);
        if folder && !gone && is_watched(&path) {
            let depth = path.components().count();
            self.add(&path, depth, true);
        }
        match () {
            () if gone => self.note(&path, Change::Removed),
            // A new file has nothing in it yet; it is told when it was written.
            () if mask.contains(AddWatchFlags::IN_CREATE) && !folder => {}
            () => self.note(&path, Change::Written),
        }
    }

    /// Half-written files of ours and names that are not text are not told.
    fn note(&mut self, path: &Path, change: Change) {
        let Some(text) = path.to_str() else { return };
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let draft = name.starts_with(".upload-") || name.starts_with(".draft-") || name.ends_with(".new");
        if draft || !is_watched(path) {
            return;
        }
        if self.changes.len() >= TOLD && !self.changes.contains_key(text) {
            self.more = true;
        } else {
            self.changes.insert(text.to_owned(), change);
        }
    }

    fn tell(&mut self, gateway: &Gateway) {
        let changes = std::mem::take(&mut self.changes);
        let more = std::mem::take(&mut self.more);
        if changes.contains_key(crate::cron::FILE) {
            gateway.cron.look();
        }
        if more || changes.keys().any(|path| Publisher::concerns(path)) {
            gateway.publisher.look();
        }
        if !changes.is_empty() || more {
            let changes = changes.into_iter().map(|(path, change)| FileChange { path, change }).collect();
            gateway.hub.tell(Event::FileChange { changes, more });
        }
    }
}

/// A link made for a moment by a tool is passed over with the folders nobody looks into.
fn is_watched(path: &Path) -> bool {
    !path.iter().any(|part| PASSED_OVER.iter().any(|over| *over == part))
}
