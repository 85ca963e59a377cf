//! Users' trees: owned by the mapped id, never another's, removed without following anything. Needs root.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use matrixos_rootfs::tree::{self, TreeError};
use matrixos_types::{Handle, Seat};

fn house() -> (tempfile::TempDir, Handle, Seat) {
    let folder = tempfile::tempdir().unwrap();
    (folder, Handle::parse("alice").unwrap(), Seat::new(3).unwrap())
}

#[test]
fn a_tree_belongs_to_its_mapped_owner_alone_and_is_made_once() {
    let (folder, handle, seat) = house();
    let tree = tree::ensure(folder.path(), &handle, seat).unwrap();
    let found = fs::metadata(&tree).unwrap();
    assert_eq!(
        (found.uid(), found.gid(), found.permissions().mode() & 0o7777),
        (tree::owner(seat), tree::owner(seat), 0o700)
    );
    assert_eq!(fs::metadata(tree.parent().unwrap()).unwrap().uid(), 0, "the way to it belongs to root");
    fs::write(tree.join("kept"), "kept").unwrap();
    assert_eq!(tree::ensure(folder.path(), &handle, seat).unwrap(), tree);
    assert!(tree.join("kept").exists());
}

#[test]
fn nobody_inherits_the_tree_of_another_seat() {
    let (folder, handle, seat) = house();
    let tree = tree::ensure(folder.path(), &handle, seat).unwrap();
    let other = Seat::new(4).unwrap();
    assert!(matches!(tree::ensure(folder.path(), &handle, other), Err(TreeError::Foreign { .. })));
    assert!(matches!(tree::remove(folder.path(), &handle, other), Err(TreeError::Foreign { .. })));
    assert!(tree.exists());
}

#[test]
fn a_link_or_a_file_in_place_of_a_tree_is_refused() {
    for place in ["alice", "alice/matrixos"] {
        for link in [true, false] {
            let (folder, handle, seat) = house();
            let path: PathBuf = folder.path().join(place);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if link {
                symlink("/etc", &path).unwrap()
            } else {
                fs::write(&path, "").unwrap()
            }
            assert!(
                matches!(tree::ensure(folder.path(), &handle, seat), Err(TreeError::NotADirectory(_))),
                "{place} link {link}"
            );
        }
    }
}

#[test]
fn removal_follows_no_link_copes_with_depth_and_can_be_repeated() {
    let (folder, handle, seat) = house();
    let outside = folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("precious"), "kept").unwrap();
    let tree = tree::ensure(folder.path(), &handle, seat).unwrap();
    symlink(&outside, tree.join("link")).unwrap();
    symlink("/", tree.join("root")).unwrap();
    let dig = "chdir $ARGV[0] or die; for (1..3000) { mkdir 'd' and chdir 'd' or die }";
    let deep = Command::new("perl").args(["-e", dig]).arg(&tree).status().unwrap();
    assert!(deep.success());
    fs::create_dir(tree.join("closed")).unwrap();
    fs::set_permissions(tree.join("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    tree::remove(folder.path(), &handle, seat).unwrap();
    assert!(!tree.exists() && outside.join("precious").exists() && Path::new("/etc/passwd").exists());
    tree::remove(folder.path(), &handle, seat).unwrap();
}
