//! By what people prove who they are: passkeys by id, and the authenticator app. The last one stays.

use matrixos_types::UserId;
use sled::transaction::{ConflictableTransactionError, Transactional, TransactionalTree};

use crate::error::{FactorError, StoreError, why};
use crate::records::{Credential, Factors};
use crate::store::Store;
use crate::table::{Record, decode, put_in};

/// Passkeys that one account may have.
pub const PASSKEYS: usize = 20;

type Conflict<E> = ConflictableTransactionError<E>;

impl Store {
    /// By what a person can sign in.
    pub fn factors(&self, user: UserId) -> Result<Option<Factors>, StoreError> {
        self.0.factors.get(user.0)
    }

    /// The credential of that id (hexadecimal).
    pub fn credential(&self, id: &str) -> Result<Option<Credential>, StoreError> {
        self.0.credentials.get(id)
    }

    /// Every passkey of a user, oldest first.
    pub fn credentials_of(&self, user: UserId) -> Result<Vec<Credential>, StoreError> {
        let Some(factors) = self.factors(user)? else { return Ok(Vec::new()) };
        factors.passkeys.iter().filter_map(|id| self.credential(id).transpose()).collect()
    }

    /// Changes a passkey that exists; only its owner's. Returns it as it is then.
    pub fn change_credential(
        &self,
        user: UserId,
        id: &str,
        change: impl Fn(&mut Credential),
    ) -> Result<Credential, StoreError> {
        let changed = self.0.credentials.tree.transaction(|credentials| {
            let bytes = credentials.get(id)?.ok_or(Conflict::Abort(StoreError::Missing("passkey")))?;
            let mut credential: Credential = decode("credentials", &bytes).map_err(Conflict::Abort)?;
            if credential.user != user {
                return Err(Conflict::Abort(StoreError::Missing("passkey")));
            }
            change(&mut credential);
            put_in(credentials, &credential)?;
            Ok(credential)
        });
        let credential = changed.map_err(StoreError::from)?;
        self.settle()?;
        Ok(credential)
    }

    /// Adds a passkey to an account.
    pub fn add_credential(&self, credential: &Credential) -> Result<(), FactorError> {
        self.both(credential.user, |credentials, factors| {
            if credentials.get(credential.key())?.is_some() {
                return Err(Conflict::Abort(FactorError::Known));
            }
            if factors.passkeys.len() >= PASSKEYS {
                return Err(Conflict::Abort(FactorError::TooMany));
            }
            factors.passkeys.push(credential.id.clone());
            put_in(credentials, credential)?;
            Ok(())
        })
    }

    /// Removes a passkey of an account, unless it is the last way to sign in. Returns what it was.
    pub fn remove_credential(&self, user: UserId, id: &str) -> Result<Credential, FactorError> {
        self.both(user, |credentials, factors| {
            let missing = || Conflict::Abort(FactorError::Store(StoreError::Missing("passkey")));
            let place = factors.passkeys.iter().position(|known| known == id).ok_or_else(missing)?;
            factors.passkeys.remove(place);
            if factors.passkeys.is_empty() && factors.totp.is_none() {
                return Err(Conflict::Abort(FactorError::Last));
            }
            let bytes = credentials.remove(id)?.ok_or_else(missing)?;
            decode("credentials", &bytes).map_err(|e| Conflict::Abort(e.into()))
        })
    }

    /// Changes what there is beside the passkeys; `change` may refuse. Nothing is written unless it says `true`.
    pub fn change_factors<E: From<StoreError>>(
        &self,
        user: UserId,
        change: impl Fn(&mut Factors) -> Result<bool, E>,
    ) -> Result<Factors, E> {
        let changed = self.0.factors.tree.transaction(|tree| {
            let mut factors = factors_in(tree, user)?;
            let changed = change(&mut factors).map_err(Conflict::Abort)?;
            if changed {
                put_in(tree, &factors)?;
            }
            Ok((factors, changed))
        });
        let (factors, changed) = changed.map_err(why)?;
        // How long a refused code takes must not tell that there is an account.
        if changed {
            self.settle()?;
        }
        Ok(factors)
    }

    /// Changes passkeys and factors together.
    fn both<T>(
        &self,
        user: UserId,
        change: impl Fn(&TransactionalTree, &mut Factors) -> Result<T, Conflict<FactorError>>,
    ) -> Result<T, FactorError> {
        let trees = (&self.0.credentials.tree, &self.0.factors.tree);
        let changed = trees.transaction(|(credentials, tree)| {
            let mut factors = factors_in(tree, user)?;
            let answer = change(credentials, &mut factors)?;
            put_in(tree, &factors)?;
            Ok(answer)
        });
        let answer = changed.map_err(why)?;
        self.settle()?;
        Ok(answer)
    }
}

fn factors_in<E: From<StoreError>>(tree: &TransactionalTree, user: UserId) -> Result<Factors, Conflict<E>> {
    let abort = |error: StoreError| Conflict::Abort(error.into());
    let bytes = tree.get(user.0)?.ok_or_else(|| abort(StoreError::Missing("account")))?;
    decode("factors", &bytes).map_err(abort)
}
