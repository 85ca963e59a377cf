//! How containers rest, and their short histories.

use matrixos_types::ContainerId;

use crate::error::StoreError;
use crate::records::Rest;
use crate::store::Store;

impl Store {
    /// How a container rests, if that was ever written.
    pub fn rest(&self, container: &ContainerId) -> Result<Option<Rest>, StoreError> {
        self.0.rest.get(container.as_str())
    }

    /// Writes how a container rests. Not settled: it reaches the disk with the next change that is, or a moment later.
    /// What a kill loses of it is no more than news.
    pub fn note_rest(&self, rest: &Rest) -> Result<(), StoreError> {
        self.0.rest.put(rest)
    }

    /// Returns when what was noted so far is on the disk.
    pub fn settle_rest(&self) -> Result<(), StoreError> {
        self.settle()
    }

    /// Writes how a container rests, for good.
    pub fn put_rest(&self, rest: &Rest) -> Result<(), StoreError> {
        self.0.rest.put(rest)?;
        self.settle()
    }
}
