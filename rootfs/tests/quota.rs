//! A user's share of the disk is the kernel's business. Needs root, and loop devices.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use matrixos_rootfs::{quota, tree};
use matrixos_types::{Bytes, DiskQuota, DiskShare, Handle, Seat};
use nix::sched::{CloneFlags, unshare};

const SHARE: DiskShare = DiskShare { bytes: Bytes::mib(32), inodes: 1_024 };

/// A user's folder and tree, in a mount namespace of this thread's own.
struct User {
    users: tempfile::TempDir,
    handle: Handle,
    seat: Seat,
}

impl User {
    fn new() -> Self {
        unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_FS).unwrap();
        let none = None::<&str>;
        let flags = nix::mount::MsFlags::MS_REC | nix::mount::MsFlags::MS_PRIVATE;
        nix::mount::mount(none, "/", none, flags, none).unwrap();
        let user = Self {
            users: tempfile::tempdir().unwrap(),
            handle: Handle::parse("alice").unwrap(),
            seat: Seat::new(3).unwrap(),
        };
        fs::set_permissions(user.users.path(), fs::Permissions::from_mode(0o711)).unwrap();
        tree::ensure(user.users.path(), &user.handle, user.seat).unwrap();
        user
    }

    fn folder(&self) -> PathBuf {
        tree::folder(self.users.path(), &self.handle)
    }

    fn enforce(&self, means: DiskQuota) -> bool {
        quota::enforce(means, &self.folder(), self.seat, SHARE).unwrap()
    }

    /// Runs a script in the tree as its owner, without a privilege; returns what it said.
    fn sh(&self, script: &str) -> String {
        let id = tree::owner(self.seat).to_string();
        let output = Command::new("setpriv")
            .args(["--reuid", &id, "--regid", &id, "--clear-groups", "--inh-caps=-all", "sh", "-c", script])
            .current_dir(self.tree())
            .output()
            .unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    fn tree(&self) -> PathBuf {
        self.folder().join("matrixos")
    }
}

impl Drop for User {
    fn drop(&mut self) {
        quota::release(&self.folder()).unwrap();
    }
}

#[test]
fn a_home_cannot_outgrow_its_share_in_bytes_or_in_files_and_can_be_cleared() {
    let user = User::new();
    assert!(user.enforce(DiskQuota::Image) && user.enforce(DiskQuota::Image), "safe to repeat");
    let said = user.sh("dd if=/dev/zero of=big bs=1M count=64 2>&1; stat -c %s big");
    assert!(said.contains("No space left on device"), "{said}");
    let size: u64 = said.lines().last().unwrap().parse().unwrap();
    assert!(size < SHARE.bytes.0, "{size}");
    let said = user.sh("rm big && seq -f f%g 2000 | xargs touch 2>&1 | head -n 1; ls | wc -l");
    assert!(said.contains("No space left on device"), "{said}");
    let made: u64 = said.lines().last().unwrap().parse().unwrap();
    assert!((900..=1_024).contains(&made), "{said}");
    assert_eq!(user.sh("find . -name 'f*' -delete; echo again >again; ls -A"), "again\n");
}

#[test]
fn a_home_belongs_to_its_owner_alone_and_survives_being_let_go() {
    let user = User::new();
    user.enforce(DiskQuota::Image);
    let found = fs::metadata(user.tree()).unwrap();
    assert_eq!((found.uid(), found.mode() & 0o7777), (tree::owner(user.seat), 0o700));
    assert_eq!(fs::metadata(user.folder().join("disk.ext4")).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(user.sh("echo mine >file; ls -A"), "file\n");
    quota::release(&user.folder()).unwrap();
    quota::release(&user.folder()).unwrap();
    assert!(!user.tree().join("file").exists(), "it lies in the image");
    assert!(user.enforce(DiskQuota::Nothing), "whoever has an image keeps it");
    assert_eq!(user.sh("cat file"), "mine\n");
}

#[test]
fn files_from_before_there_was_a_quota_move_into_it() {
    let user = User::new();
    fs::create_dir(user.tree().join("folder")).unwrap();
    fs::write(user.tree().join("folder/old"), "old").unwrap();
    for path in ["folder", "folder/old"] {
        chown(user.tree().join(path), Some(tree::owner(user.seat)), None).unwrap();
    }
    user.enforce(DiskQuota::Image);
    assert_eq!(user.sh("cat folder/old && rm -r folder && ls -A"), "old");
    quota::release(&user.folder()).unwrap();
    assert_eq!(fs::read_dir(user.tree()).unwrap().count(), 0, "nothing is kept twice");
}

#[test]
fn what_cannot_be_enforced_is_said_with_a_reason() {
    // A tmpfs has no projects.
    let finding = quota::find(Path::new("/dev/shm"));
    assert_ne!(finding.means, DiskQuota::Project);
    assert!(finding.why.contains("/dev/shm enforces no project quota"), "{finding:?}");
    assert!(!User::new().enforce(DiskQuota::Nothing));
}
