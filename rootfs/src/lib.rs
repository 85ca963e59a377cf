//! The files a computer runs from: the image that all share, and the tree that each user owns.

pub mod image;
pub mod profile;
pub mod quota;
pub mod snapshot;
pub mod tenant;
pub mod tree;
