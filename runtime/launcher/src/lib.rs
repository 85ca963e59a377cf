//! The one process that is root: it makes and removes containers on typed requests from its parent, and reads no byte
//! from the network. It has a single thread and forks a short-lived child for each act that touches libcontainer,
//! because libcontainer clones and then runs ordinary code in the child, and changes the process that calls it.

mod adopt;
mod confined;
mod export;
mod files;
mod fork;
mod freezer;
mod house;
mod jobs;
mod launch;
mod logs;
mod profile;
mod record;
mod removal;
mod serve;
mod spawn;
mod strays;
mod walls;

pub use serve::run;
pub use spawn::{SpawnError, Spawned, spawn};
