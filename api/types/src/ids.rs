//! Identifiers. Each parses strictly, because the launcher builds paths and link names from them.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The account of one user, for life. Everything a user owns is keyed by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub Uuid);

impl UserId {
    /// A fresh random id.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// From its text.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }

    /// The id of these bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One signed-in browser. Not a secret: whoever knows it cannot sign in with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub Uuid);

impl SessionId {
    /// A fresh random id.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// Parses an id, in the one form in which it is written.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let id = Uuid::try_parse(text).map(Self).map_err(|_| IdError::Session)?;
        if id.to_string() == text { Ok(id) } else { Err(IdError::Session) }
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(f)
    }
}

/// The id of a user's container: `c` and 16 lower-case hexadecimal digits. It stays the same when the
/// container is created anew, and names its cgroup and its runtime state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContainerId(String);

/// A text or number that is not an identifier of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not 32 lower-case hexadecimal digits.
    #[error("not a session id: expected 32 hexadecimal digits")]
    Session,
    /// Not `c` and 16 lower-case hexadecimal digits.
    #[error("not a container id: expected c and 16 hexadecimal digits")]
    Container,
    /// Not within 1 ..= [`Seat::MAX`].
    #[error("not a seat: expected a number from 1 to {}", Seat::MAX)]
    Seat,
}

impl ContainerId {
    /// A fresh random id.
    pub fn random() -> Self {
        Self(format!("c{}", &Uuid::new_v4().simple().to_string()[..16]))
    }

    /// Parses an id.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let digits = text.strip_prefix('c').ok_or(IdError::Container)?;
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if digits.len() == 16 && digits.bytes().all(hex) { Ok(Self(text.to_owned())) } else { Err(IdError::Container) }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ContainerId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Self::parse(&text)
    }
}

impl From<ContainerId> for String {
    fn from(id: ContainerId) -> Self {
        id.0
    }
}

/// A user's place on this machine: one number from which their address, their link name and their range of
/// 65,536 user and group ids follow. Given once, never given again, not even after the account is gone, so that
/// no one can ever inherit another's files or address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Seat(u16);

impl Seat {
    /// The last seat: its id range still ends below 2^31, above which tools begin to misread ids.
    pub const MAX: u16 = 32_000;
    /// How many user and group ids a seat has.
    pub const ID_RANGE: u32 = 65_536;
    /// The first host id of seat 0 (unused); above every range that Debian or systemd hands out to system users.
    const FIRST_ID: u32 = 1 << 20;

    /// A seat from its number, 1 ..= [`Seat::MAX`].
    pub fn new(number: u16) -> Result<Self, IdError> {
        if (1..=Self::MAX).contains(&number) { Ok(Self(number)) } else { Err(IdError::Seat) }
    }

    /// The number, 1 ..= [`Seat::MAX`].
    pub fn number(self) -> u16 {
        self.0
    }

    /// The host id that user (and group) 0 of this seat's user namespace has.
    pub fn first_id(self) -> u32 {
        Self::FIRST_ID + u32::from(self.0) * Self::ID_RANGE
    }
}

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<u16> for Seat {
    type Error = IdError;
    fn try_from(number: u16) -> Result<Self, IdError> {
        Self::new(number)
    }
}

impl From<Seat> for u16 {
    fn from(seat: Seat) -> Self {
        seat.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_own_disjoint_id_ranges_below_two_to_the_31() {
        let last = Seat::new(Seat::MAX).expect("a seat");
        assert!(u64::from(last.first_id()) + u64::from(Seat::ID_RANGE) <= 1 << 31);
        let (a, b) = (Seat::new(1).expect("a seat"), Seat::new(2).expect("a seat"));
        assert_eq!(b.first_id() - a.first_id(), Seat::ID_RANGE);
        assert_eq!(Seat::new(0), Err(IdError::Seat));
        assert_eq!(Seat::new(Seat::MAX + 1), Err(IdError::Seat));
    }

    #[test]
    fn a_session_id_has_one_spelling() {
        let id = SessionId::random();
        assert_eq!(SessionId::parse(&id.to_string()), Ok(id));
        for other in [id.to_string().to_uppercase(), id.0.to_string(), format!("{{{}}}", id.0), String::new()] {
            assert_eq!(SessionId::parse(&other), Err(IdError::Session), "{other}");
        }
    }

    #[test]
    fn container_ids_cannot_name_a_path() {
        assert!(ContainerId::parse(ContainerId::random().as_str()).is_ok());
        for bad in ["", "c", "c../../../../../etc", "cABCDEF0123456789", "c0123456789abcde", "x0123456789abcdef"] {
            assert_eq!(ContainerId::parse(bad), Err(IdError::Container), "{bad}");
        }
    }
}
