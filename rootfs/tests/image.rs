//! Images as OCI layouts: imported, verified, unpacked once; hostile and damaged ones refused. Needs root.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use matrixos_rootfs::image::{self, ImageError};
use serde_json::json;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

/// One entry of a layer: name, kind, mode, content or link target.
type Item = (&'static str, EntryType, u32, &'static str);

type Pack = fn(&[u8]) -> Vec<u8>;

fn tar(items: &[Item]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, kind, mode, content) in items {
        let mut header = Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(*mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        let link = matches!(kind, EntryType::Symlink | EntryType::Link);
        if link {
            header.set_link_name_literal(content).unwrap();
        }
        let body = if link { "" } else { content };
        header.set_size(body.len() as u64);
        // Written into the header by hand: the library itself would refuse hostile names.
        let bytes = name.as_bytes();
        header.as_gnu_mut().unwrap().name[..bytes.len()].copy_from_slice(bytes);
        header.set_cksum();
        builder.append(&header, body.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// Writes an OCI layout with these layers and returns its folder and the digest of its manifest.
fn layout(folder: &Path, layers: &[&[Item]], compressed: bool) -> (PathBuf, String) {
    let root = folder.join("layout");
    let blobs = root.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let put = |bytes: &[u8]| {
        fs::write(blobs.join(hex(bytes)), bytes).unwrap();
        (format!("sha256:{}", hex(bytes)), bytes.len())
    };
    let described =
        |media: &str, (digest, size): (String, usize)| json!({ "mediaType": media, "digest": digest, "size": size });
    let (media, pack): (&str, Pack) = if compressed {
        ("application/vnd.oci.image.layer.v1.tar+zstd", |tar| zstd::encode_all(tar, 3).unwrap())
    } else {
        ("application/vnd.oci.image.layer.v1.tar", <[u8]>::to_vec)
    };
    let tars: Vec<_> = layers.iter().map(|items| tar(items)).collect();
    let diff_ids: Vec<_> = tars.iter().map(|t| format!("sha256:{}", hex(t))).collect();
    let layers: Vec<_> = tars.iter().map(|t| described(media, put(&pack(t)))).collect();
    let config =
        json!({ "architecture": "amd64", "os": "linux", "rootfs": { "type": "layers", "diff_ids": diff_ids } })
            .to_string();
    let config = described("application/vnd.oci.image.config.v1+json", put(config.as_bytes()));
    let manifest = json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": layers }).to_string();
    let (digest, size) = put(manifest.as_bytes());
    let entry = described("application/vnd.oci.image.manifest.v1+json", (digest.clone(), size));
    fs::write(root.join("index.json"), json!({ "schemaVersion": 2, "manifests": [entry] }).to_string()).unwrap();
    fs::write(root.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    (root, digest)
}

const DIR: EntryType = EntryType::Directory;
const FILE: EntryType = EntryType::Regular;
const GOOD: &[&[Item]] = &[
    &[
        ("./", DIR, 0o755, ""),
        ("./bin/", DIR, 0o755, ""),
        ("./bin/tool", FILE, 0o755, "#!/bin/sh\n"),
        ("bin/alias", EntryType::Symlink, 0o777, "tool"),
        ("bin/same", EntryType::Link, 0o755, "bin/tool"),
        ("etc/", DIR, 0o755, ""),
        ("etc/old", FILE, 0o644, "old"),
        ("etc/gone", FILE, 0o644, "gone"),
        ("dev-null", EntryType::Char, 0o666, ""),
    ],
    &[("opaque/", DIR, 0o755, ""), ("opaque/lower", FILE, 0o644, "x")],
    &[("opaque/", DIR, 0o755, ""), ("opaque/.wh..wh..opq", FILE, 0o644, ""), ("opaque/upper", FILE, 0o644, "x")],
    &[("etc/", DIR, 0o755, ""), ("etc/old", FILE, 0o600, "new"), ("etc/.wh.gone", FILE, 0o644, "")],
];

fn imported(layers: &[&[Item]], compressed: bool) -> (tempfile::TempDir, Result<(String, PathBuf), ImageError>) {
    let folder = tempfile::tempdir().unwrap();
    let (from, _) = layout(folder.path(), layers, compressed);
    let data = folder.path().join("data");
    let result = image::import(&data, &from)
        .and_then(|digest| image::ensure_unpacked(&data, &digest).map(|root| (digest, root)));
    (folder, result)
}

#[test]
fn an_image_is_imported_unpacked_once_and_verified() {
    for compressed in [true, false] {
        let (folder, result) = imported(GOOD, compressed);
        let (digest, root) = result.unwrap();
        let data = folder.path().join("data");
        assert_eq!(fs::read_to_string(root.join("etc/old")).unwrap(), "new", "the upper layer wins");
        assert_eq!(fs::metadata(root.join("etc/old")).unwrap().permissions().mode() & 0o7777, 0o600);
        assert!(!root.join("etc/gone").exists(), "deleted by the upper layer");
        assert!(root.join("opaque/upper").exists() && !root.join("opaque/lower").exists());
        assert!(!root.join("dev-null").exists(), "no devices from an image");
        assert_eq!(fs::read_link(root.join("bin/alias")).unwrap(), Path::new("tool"));
        assert_eq!(
            fs::metadata(root.join("bin/same")).unwrap().ino(),
            fs::metadata(root.join("bin/tool")).unwrap().ino()
        );
        assert_eq!((image::current(&data).unwrap(), image::root(&data, &digest).unwrap()), (digest.clone(), root));
        assert!(image::verify(&data, &digest).unwrap().unwrap() >= 5);
        let listed = image::list(&data).unwrap();
        assert!(listed.len() == 1 && listed[0].unpacked && listed[0].tag.as_deref() == Some(image::TAG));
    }
}

#[test]
fn what_would_leave_the_root_or_gain_privileges_is_refused_and_nothing_of_it_stays() {
    let outside = "/tmp/matrixos-image-test-outside";
    let attacks: &[(&str, &[Item])] = &[
        ("up", &[("../evil", FILE, 0o644, "x")]),
        ("up inside", &[("a/../../evil", FILE, 0o644, "x")]),
        (
            "absolute link, then through it",
            &[("way", EntryType::Symlink, 0o777, "/tmp"), ("way/matrixos-image-test-outside", FILE, 0o644, "x")],
        ),
        ("setuid", &[("su", FILE, 0o4755, "x")]),
        ("setgid", &[("sg", FILE, 0o2755, "x")]),
        ("hard link outside", &[("link", EntryType::Link, 0o644, "../../../../etc/passwd")]),
        ("unknown kind", &[("odd", EntryType::new(b'Z'), 0o644, "x")]),
    ];
    for (name, items) in attacks {
        let (folder, result) = imported(&[items], true);
        assert!(result.is_err(), "{name} was unpacked");
        assert!(!Path::new(outside).exists() && !folder.path().join("evil").exists(), "{name}");
        let left: Vec<_> = fs::read_dir(folder.path().join("data/images/roots")).unwrap().collect();
        assert!(left.is_empty(), "{name}: {left:?}");
    }
    let _kept = imported(&[&[("/etc/absolute", FILE, 0o644, "x")]], true);
    assert!(!Path::new("/etc/absolute").exists());
}

#[test]
fn a_damaged_blob_is_named_and_never_unpacked() {
    for damage in ["flip", "cut", "remove"] {
        let folder = tempfile::tempdir().unwrap();
        let (from, digest) = layout(folder.path(), GOOD, true);
        let blobs = from.join("blobs/sha256");
        let largest = fs::read_dir(&blobs)
            .unwrap()
            .map(|e| e.unwrap().path())
            .max_by_key(|p| fs::metadata(p).unwrap().len())
            .unwrap();
        let mut bytes = fs::read(&largest).unwrap();
        match damage {
            "flip" => *bytes.last_mut().unwrap() ^= 1,
            "cut" => bytes.truncate(bytes.len() / 2),
            _ => {}
        }
        if damage == "remove" {
            fs::remove_file(&largest).unwrap()
        } else {
            fs::write(&largest, bytes).unwrap()
        }
        let data = folder.path().join("data");
        let error = image::import(&data, &from).unwrap_err().to_string();
        assert!(error.contains(largest.file_name().unwrap().to_str().unwrap()), "{damage}: {error}");
        assert!(matches!(image::current(&data), Err(ImageError::Missing)), "a damaged image does not count");
        assert!(image::root(&data, &digest).is_err());
    }
}

#[test]
fn damage_after_the_import_is_found_before_and_after_unpacking() {
    let folder = tempfile::tempdir().unwrap();
    let (from, digest) = layout(folder.path(), GOOD, true);
    let data = folder.path().join("data");
    image::import(&data, &from).unwrap();
    let blobs = data.join("images/oci/blobs/sha256");
    for blob in fs::read_dir(&blobs).unwrap().map(|e| e.unwrap().path()) {
        let good = fs::read(&blob).unwrap();
        let mut bad = good.clone();
        bad[good.len() / 2] ^= 0x10;
        fs::write(&blob, bad).unwrap();
        assert!(image::verify(&data, &digest).is_err(), "{}", blob.display());
        let config = String::from_utf8_lossy(&good).contains("diff_ids");
        assert!(config || image::ensure_unpacked(&data, &digest).is_err(), "{}", blob.display());
        fs::write(&blob, good).unwrap();
    }
    let root = image::ensure_unpacked(&data, &digest).unwrap();
    image::verify(&data, &digest).unwrap();
    fs::write(root.join("bin/extra"), "evil").unwrap();
    assert!(image::verify(&data, &digest).unwrap_err().to_string().contains("no layer holds it"));
    fs::remove_file(root.join("bin/extra")).unwrap();
    fs::write(root.join("bin/tool"), "evil").unwrap();
    assert!(image::verify(&data, &digest).unwrap_err().to_string().contains("bin/tool"));
    fs::write(root.join("bin/tool"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(root.join("etc/old"), fs::Permissions::from_mode(0o666)).unwrap();
    assert!(image::verify(&data, &digest).unwrap_err().to_string().contains("mode"));
    fs::remove_file(root.join("etc/old")).unwrap();
    assert!(image::verify(&data, &digest).unwrap_err().to_string().contains("missing"));
}

#[test]
fn an_unpacking_cut_short_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let (from, digest) = layout(folder.path(), GOOD, true);
    let data = folder.path().join("data");
    image::import(&data, &from).unwrap();
    fs::create_dir_all(data.join("images/roots/.draft-left/bin")).unwrap();
    assert!(matches!(image::root(&data, &digest), Err(ImageError::Missing)));
    for bad in ["", "sha256:", "sha256:../..", "sha256:ABCDEF", "md5:00"] {
        assert!(matches!(image::root(&data, bad), Err(ImageError::Digest(_))), "{bad}");
    }
    image::ensure_unpacked(&data, &digest).unwrap();
}
