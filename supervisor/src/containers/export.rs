//! Everything that somebody has, as one stream: at most one for each container at a time, and a few over all.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::Bytes;
use matrixos_runtime::client::CallError;
use matrixos_runtime::frames::LONGEST;
use matrixos_types::ContainerId;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

use super::Containers;

/// Downloads at once, of all containers together.
const AT_ONCE: usize = 4;

/// The downloads that are under way.
#[derive(Debug, Default)]
pub(super) struct Exports(Mutex<HashSet<ContainerId>>);

/// A turn at downloading.
#[derive(Debug)]
struct Turn(Arc<Exports>, ContainerId);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

impl Exports {
    fn turn(self: &Arc<Self>, container: &ContainerId) -> Result<Turn, ExportError> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.contains(container) {
            return Err(ExportError::UnderWay);
        }
        if open.len() >= AT_ONCE {
            return Err(ExportError::TooMany);
        }
        open.insert(container.clone());
        Ok(Turn(self.clone(), container.clone()))
    }
}

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// No such container.
    #[error("there is no such computer")]
    Unknown,
    /// The same person is downloading it.
    #[error("a download of the same files is under way; wait until it has ended, or end it")]
    UnderWay,
    /// Others are.
    #[error("too many downloads are under way at the moment; try again in a few minutes")]
    TooMany,
    /// The launcher could not begin.
    #[error("the files could not be read: {0}")]
    Launcher(#[from] CallError),
    /// The stream broke off before it began.
    #[error("the files could not be read: {0}")]
    Broken(#[from] io::Error),
}

/// A tar.gz, piece by piece.
#[derive(Debug)]
pub struct Export {
    pipe: Receiver,
    first: Option<Bytes>,
    ended: bool,
    _turn: Turn,
}

impl Export {
    /// The next piece; `None` after the last. An error means that what came until then is not the whole.
    pub async fn next(&mut self) -> Option<io::Result<Bytes>> {
        if let Some(first) = self.first.take() {
            return Some(Ok(first));
        }
        if self.ended {
            return None;
        }
        let piece = piece(&mut self.pipe).await.transpose();
        self.ended = !matches!(piece, Some(Ok(_)));
        piece
    }
}

/// One frame; `None` for the empty one, which is the end.
async fn piece(pipe: &mut Receiver) -> io::Result<Option<Bytes>> {
    let length = pipe.read_u32().await? as usize;
    if length > LONGEST {
        return Err(io::Error::other("a piece is longer than the protocol allows"));
    }
    let mut piece = vec![0; length];
    pipe.read_exact(&mut piece).await?;
    Ok((length > 0).then(|| piece.into()))
}

impl Containers {
    /// Whether an export could begin now.
    pub fn may_export(&self, container: &ContainerId) -> Result<(), ExportError> {
        self.exports.turn(container).map(drop)
    }

    /// Begins an export: the files, whether the computer runs, rests or is archived, and what is known `about` them.
    pub async fn export(&self, container: &ContainerId, about: &[u8]) -> Result<Export, ExportError> {
        let computer = self.tasks().get(container).map(|task| task.computer.clone()).ok_or(ExportError::Unknown)?;
        let turn = self.exports.turn(container)?;
        let pipe = self.world.launcher.export(container.clone(), computer.seat, computer.handle, about).await?;
        let mut pipe = Receiver::from_owned_fd(pipe)?;
        // By its first piece the launcher says that it has found the files: what fails before is told as what it is.
        let first = piece(&mut pipe).await?;
        Ok(Export { pipe, ended: first.is_none(), first, _turn: turn })
    }
}
