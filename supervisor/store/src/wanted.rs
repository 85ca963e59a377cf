//! What should be true of the containers.

use matrixos_types::ContainerId;
use sled::transaction::ConflictableTransactionError::Abort;

use crate::error::StoreError;
use crate::records::{Wanted, WantedState};
use crate::store::Store;
use crate::table::{decode, put_in};

impl Store {
    /// What is wanted of a container.
    pub fn wanted(&self, container: &ContainerId) -> Result<Option<Wanted>, StoreError> {
        self.0.wanted.get(container.as_str())
    }

    /// Writes down what is wanted of a container and why; returns the new generation.
    pub fn set_wanted(&self, container: &ContainerId, state: WantedState, reason: &str) -> Result<u64, StoreError> {
        self.check_writable()?;
        let changed = self.0.wanted.tree.transaction(|wanted| {
            let bytes = wanted.get(container.as_str())?.ok_or(Abort(StoreError::Missing("container")))?;
            let old: Wanted = decode("wanted", &bytes).map_err(Abort)?;
            let new = Wanted { state, reason: reason.to_owned(), generation: old.generation + 1, ..old };
            put_in(wanted, &new)?;
            Ok(new.generation)
        });
        let generation = changed.map_err(StoreError::from)?;
        self.settle()?;
        Ok(generation)
    }
}
