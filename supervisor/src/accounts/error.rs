//! Why something about an account did not succeed.

use std::error::Error;

use matrixos_store::{FactorError, PASSKEYS, StoreError};
use matrixos_types::HandleError;

/// What went wrong, for the person and for whoever maps it to a status.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Not a handle.
    #[error("{0}")]
    Malformed(#[from] HandleError),
    /// Taken or reserved.
    #[error("That handle is not available.")]
    Unavailable(Vec<String>),
    /// The ceremony is unknown, used, too old, or of the other kind.
    #[error("This took too long, or was done already. Please try again.")]
    CeremonyExpired,
    /// The authenticator's answer does not hold; the cause is for the log.
    #[error("Your device's answer could not be verified. Please try again.")]
    Rejected(#[source] Box<dyn Error + Send + Sync>),
    /// No account has this passkey.
    #[error("This passkey does not belong to an account here. Perhaps its account was deleted.")]
    UnknownPasskey,
    /// The passkey was registered before.
    #[error("This passkey is registered already. Please sign in with it.")]
    KnownPasskey,
    /// The account has as many passkeys as it may have.
    #[error("An account has at most {PASSKEYS} passkeys. Please remove one that you do not use.")]
    TooManyPasskeys,
    /// A sign-in with a handle and a code: one of the two is wrong, and nobody is told which.
    #[error("That handle and code do not fit. A code works once; please wait for the next one.")]
    SignInRejected,
    /// A code that does not fit, from somebody who is signed in or signing up.
    #[error("That code does not fit. A code works once; please wait for the next one.")]
    CodeRejected,
    /// Too many codes were tried.
    #[error("Too many codes were tried. Please wait a little, or use a passkey or a recovery code.")]
    TooOften {
        /// Seconds to wait.
        wait: u64,
    },
    /// Without it nobody could sign in.
    #[error("This is the only way left to sign in. Please add another one first.")]
    LastFactor,
    /// Not a name for a passkey.
    #[error("A name has 1 to 64 characters.")]
    BadName,
    /// There is no such thing, or it is somebody else's.
    #[error("There is no such {0}.")]
    Missing(&'static str),
    /// The handle typed to confirm is another.
    #[error("To confirm, type your own handle.")]
    NotConfirmed,
    /// The account is about to be deleted.
    #[error("This account is about to be deleted. To go on using it, undo that first.")]
    DeletionPending,
    /// The invitation was used, or is too old.
    #[error("This invitation was used already, or is too old. Ask the operator for another.")]
    BadInvitation,
    /// Not a key to the provider of models.
    #[error("This is not a key. Copy the whole line as the provider shows it, without anything around it.")]
    BadKey,
    /// The machine has no seat left.
    #[error("{0}")]
    Busy(&'static str),
    /// The store failed.
    #[error("the store: {0}")]
    Store(StoreError),
}

impl AccountError {
    /// An answer of an authenticator that does not hold, and why.
    pub(super) fn rejected(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Rejected(cause.into())
    }
}

impl From<StoreError> for AccountError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing(what) => Self::Missing(what),
            other => Self::Store(other),
        }
    }
}

impl From<FactorError> for AccountError {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::Last => Self::LastFactor,
            FactorError::Known => Self::KnownPasskey,
            FactorError::TooMany => Self::TooManyPasskeys,
            FactorError::Store(error) => error.into(),
        }
    }
}
