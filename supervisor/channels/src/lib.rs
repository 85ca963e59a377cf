//! Channels, on which people write to their computers: how each is spoken to, and a connection at work. Who somebody is,
//! where mail is kept and how a computer is asked is for those who hold the connection to know: the platform for
//! everybody, or a computer of its owner's own for itself.

mod channel;
mod desk;
pub mod https;
mod kinds;
mod link;
mod mail;
mod standing;
mod telegram;
mod work;

pub use channel::{Channel, Content, Doing, Inbound, News, Trouble};
pub use desk::{Desk, Unanswered, said};
pub use kinds::{BadSettings, Kinds, Opening, Settings, account};
pub use link::{About, Link};
pub use mail::{Incoming, LETTER, Letter, Mail, Outgoing, Reply, Waiting};
pub use standing::{Standing, disabled};
