//! The kernel's interface to project quotas: quotactl_fd(2), and the extended attributes of files
//! (ioctl_xfs_fsgetxattr(2), which ext4 understands as well). No library at hand knows projects.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::libc;

/// `PRJQUOTA` (linux/quota.h).
const PROJECT: libc::c_uint = 2;
const SET_QUOTA: libc::c_uint = 0x80_0008;
const GET_QUOTA: libc::c_uint = 0x80_0007;
/// `Q_XGETQSTATV` (linux/dqblk_xfs.h).
const GET_STATE: libc::c_uint = 0x5808;
/// `FS_QUOTA_PDQ_ACCT` and `FS_QUOTA_PDQ_ENFD`: projects are counted, and held to their limits.
const COUNTED_AND_HELD: u16 = 0x10 | 0x20;
/// `QIF_BLIMITS` and `QIF_ILIMITS`.
const LIMITS: u32 = 1 | 4;
/// `FS_XFLAG_PROJINHERIT`: what is made in this directory belongs to its project.
const INHERIT: u32 = 0x200;

/// `struct if_dqblk` (linux/quota.h).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Block {
    /// In units of 1,024 bytes.
    pub(super) hard_blocks: u64,
    pub(super) soft_blocks: u64,
    /// In bytes.
    pub(super) space: u64,
    pub(super) hard_inodes: u64,
    pub(super) soft_inodes: u64,
    pub(super) inodes: u64,
    block_time: u64,
    inode_time: u64,
    valid: u32,
}

/// `struct fs_quota_statv` (linux/dqblk_xfs.h). Only its flags are of interest.
#[repr(C)]
struct State {
    version: i8,
    pad: u8,
    flags: u16,
    rest: [u64; 24],
}

/// `struct fsxattr` (linux/fs.h).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    flags: u32,
    extent_size: u32,
    extents: u32,
    project: u32,
    cow_extent_size: u32,
    pad: [u8; 8],
}

impl Attributes {
    /// These, in a project that what is made below inherits.
    pub(super) fn in_project(self, project: u32) -> Self {
        Self { flags: self.flags | INHERIT, project, ..self }
    }
}

nix::ioctl_read!(get_attributes, b'X', 31, Attributes);
nix::ioctl_write_ptr!(set_attributes, b'X', 32, Attributes);

/// Whether the file system of this file holds projects to their limits.
pub(super) fn holds_projects(file: &File) -> io::Result<bool> {
    let mut state = State { version: 1, pad: 0, flags: 0, rest: [0; 24] };
    // SAFETY: the buffer is longer than the structure that the kernel writes, and lives through the call.
    unsafe { quotactl(file, GET_STATE, 0, (&raw mut state).cast()) }?;
    Ok(state.flags & COUNTED_AND_HELD == COUNTED_AND_HELD)
}

/// Sets a project's hard limits.
pub(super) fn limit(file: &File, project: u32, blocks: u64, inodes: u64) -> io::Result<()> {
    let mut block = Block { hard_blocks: blocks, hard_inodes: inodes, valid: LIMITS, ..Block::default() };
    // SAFETY: the kernel reads one `struct if_dqblk`, which lives through the call.
    unsafe { quotactl(file, SET_QUOTA, project, (&raw mut block).cast()) }
}

/// What a project uses, and its limits.
pub(super) fn usage(file: &File, project: u32) -> io::Result<Block> {
    let mut block = Block::default();
    // SAFETY: the kernel writes one `struct if_dqblk`, which lives through the call.
    unsafe { quotactl(file, GET_QUOTA, project, (&raw mut block).cast()) }?;
    Ok(block)
}

/// SAFETY: `data` must point to what the command reads or writes.
unsafe fn quotactl(file: &File, command: libc::c_uint, id: u32, data: *mut libc::c_void) -> io::Result<()> {
    let command = (command << 8) | PROJECT;
    // SAFETY: the caller vouches for `data`; the descriptor is open for as long as `file` is borrowed.
    let result = unsafe { libc::syscall(libc::SYS_quotactl_fd, file.as_raw_fd(), command, id, data) };
    Ok(Errno::result(result).map(drop)?)
}

/// A file's attributes.
pub(super) fn attributes(file: &File) -> io::Result<Attributes> {
    let mut found = Attributes::default();
    // SAFETY: the kernel writes one `struct fsxattr`, which lives through the call.
    unsafe { get_attributes(file.as_raw_fd(), &raw mut found) }?;
    Ok(found)
}

/// Changes a file's attributes.
pub(super) fn change_attributes(file: &File, attributes: Attributes) -> io::Result<()> {
    // SAFETY: the kernel reads one `struct fsxattr`, which lives through the call.
    unsafe { set_attributes(file.as_raw_fd(), &raw const attributes) }?;
    Ok(())
}
