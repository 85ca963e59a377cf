//! Keeps the containers' logs small. They lie on the host's tmpfs, and whatever a container writes there before it is
//! noticed is at most its own memory: the kernel charges it to the writer.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::libc;

use crate::house::House;
use crate::launch::LOG;

/// A log longer than this is cut; several hundred times what a gateway writes in its life.
const MOST: u64 = 1 << 20;
/// How much of its end stays.
const KEPT: u64 = 64 << 10;
/// How often all logs are looked at.
const EVERY: Duration = Duration::from_secs(1);

/// The rhythm of looking.
#[derive(Default)]
pub(crate) struct Logs {
    last: Option<Instant>,
}

impl Logs {
    /// Cuts every log that has become too long, if it is time to look again.
    pub(crate) fn bound(&mut self, house: &House) {
        if self.last.is_some_and(|last| last.elapsed() < EVERY) {
            return;
        }
        self.last = Some(Instant::now());
        for container in fs::read_dir(house.containers()).into_iter().flatten().flatten() {
            let log = container.path().join(LOG);
            // A container in the making has none yet.
            if let Err(error) = cut(&log).or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })
            {
                eprintln!("matrixos launcher: {} cannot be cut: {error}", log.display());
            }
        }
    }
}

/// Writers append, so that they go on behind whatever is left here.
fn cut(log: &Path) -> io::Result<()> {
    if fs::symlink_metadata(log)?.len() <= MOST {
        return Ok(());
    }
    let mut file = OpenOptions::new().read(true).append(true).custom_flags(libc::O_NOFOLLOW).open(log)?;
    let end = tail(&mut file)?;
    file.set_len(0)?;
    file.write_all(b"[the log had become too long; its beginning was dropped]\n")?;
    file.write_all(&end)
}

fn tail(file: &mut File) -> io::Result<Vec<u8>> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(KEPT)))?;
    let mut end = Vec::new();
    file.take(KEPT).read_to_end(&mut end)?;
    Ok(end)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_a_long_log_is_cut_and_its_end_stays() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut writer = OpenOptions::new().append(true).create(true).open(&log).unwrap();
        writer.write_all(b"short\n").unwrap();
        cut(&log).unwrap();
        assert_eq!(fs::read(&log).unwrap(), b"short\n");
        writer.write_all(&vec![b'x'; 3 << 20]).unwrap();
        writer.write_all(b"last words\n").unwrap();
        cut(&log).unwrap();
        writer.write_all(b"more\n").unwrap();
        let text = fs::read_to_string(&log).unwrap();
        assert!(text.len() < 70_000 && text.starts_with("[the log") && text.ends_with("xlast words\nmore\n"));
    }

    #[test]
    fn a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (target, log) = (folder.path().join("target"), folder.path().join("log"));
        fs::write(&target, vec![0; 3 << 20]).unwrap();
        std::os::unix::fs::symlink(&target, &log).unwrap();
        let _ = cut(&log);
        assert_eq!(fs::metadata(&target).unwrap().len(), 3 << 20);
    }
}
