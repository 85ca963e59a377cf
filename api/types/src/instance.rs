//! The name of one installation on a machine, so that two of them never touch each other's kernel objects.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A short name, `^[a-z][a-z0-9]{0,7}$`, that prefixes every cgroup, link, firewall table and runtime directory
/// this installation makes. The product uses `matrixos`; tests use names of their own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Instance(String);

/// A text that is not an instance name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an instance name: expected 1 to 8 characters, a lower-case letter first, then lower-case letters and digits"
)]
pub struct InstanceError;

impl Instance {
    /// Parses an instance name.
    pub fn parse(text: &str) -> Result<Self, InstanceError> {
        let tail = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let bytes = text.as_bytes();
        let good = (1..=8).contains(&bytes.len()) && bytes[0].is_ascii_lowercase() && bytes.iter().all(|b| tail(*b));
        if good { Ok(Self(text.to_owned())) } else { Err(InstanceError) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Instance {
    fn default() -> Self {
        Self("matrixos".to_owned())
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Instance {
    type Err = InstanceError;
    fn from_str(text: &str) -> Result<Self, InstanceError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Instance {
    type Error = InstanceError;
    fn try_from(text: String) -> Result<Self, InstanceError> {
        Self::parse(&text)
    }
}

impl From<Instance> for String {
    fn from(instance: Instance) -> Self {
        instance.0
    }
}
