//! AI calls on their way to the provider of models and back: what they ask for, whose key they travel with, and what
//! they cost.

mod asked;
mod breaker;
mod key;
mod provider;

pub use asked::{Asked, BadCall};
pub use breaker::Circuit;
pub use key::{NotAKey, ProviderKey};
pub use provider::{BadProvider, NoAnswer, Provider};
