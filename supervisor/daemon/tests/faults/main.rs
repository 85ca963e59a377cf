//! The whole platform, ended as hard as can be: the real program with the real launcher and containers of the real
//! kernel, each installation in a network namespace of its own. Needs root, nftables and Debian's busybox-static.
#![allow(clippy::unwrap_used)]

mod broken;
mod cuts;
mod image;
mod installation;
mod leaks;
mod soak;
