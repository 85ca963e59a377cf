//! Why a sign-up or login did not succeed.

use matrixos_store::StoreError;
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
    /// The authenticator's answer does not hold.
    #[error("Your device's answer could not be verified. Please try again.")]
    Rejected,
    /// No account has this passkey.
    #[error("This passkey does not belong to an account here. Perhaps its account was deleted.")]
    UnknownPasskey,
    /// The passkey was registered before.
    #[error("This passkey is registered already. Please sign in with it.")]
    KnownPasskey,
    /// Too many ceremonies are under way, or the machine has no seat left.
    #[error("{0}")]
    Busy(&'static str),
    /// The store failed.
    #[error("the store: {0}")]
    Store(#[from] StoreError),
}
