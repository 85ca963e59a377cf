//! The smallest image that a computer runs from: the real gateway, the libraries it needs, and BusyBox.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use matrixos_types::computer::{GATEWAY_PATH, SHELL_PATH, TEMPLATE_PATH};
use serde_json::json;

use super::installation::{program, text};

/// A data directory with the image, made once for all tests.
pub(crate) fn data() -> &'static Path {
    static DATA: LazyLock<PathBuf> = LazyLock::new(|| {
        let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults");
        let _ = fs::remove_dir_all(&data);
        make(&data);
        data
    });
    &DATA
}

fn make(data: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let (root, layout) = (folder.path().join("root"), folder.path().join("layout"));
    fill(&root);
    pack(&root, &layout);
    let data = data.to_str().unwrap();
    text(Command::new(program("matrixos")).args(["--data", data, "image", "import"]).arg(&layout));
}

fn fill(root: &Path) {
    let folders = ["bin", "dev", "etc", "home/matrixos", "proc", "run", "sys", "tmp", "usr/lib/matrixos", "var/tmp"];
    for folder in folders.into_iter().chain([SHELL_PATH, TEMPLATE_PATH].map(|path| path.trim_start_matches('/'))) {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    fs::write(root.join("etc/passwd"), "matrixos:x:1000:1000::/home/matrixos:/bin/sh\n").unwrap();
    fs::write(root.join(SHELL_PATH.trim_start_matches('/')).join("index.html"), "<title>a desktop</title>").unwrap();
    put(root, Path::new("/bin/busybox"), "bin/busybox");
    symlink("busybox", root.join("bin/sh")).unwrap();
    let gateway = program("matrixos-gateway");
    put(root, &gateway, GATEWAY_PATH.trim_start_matches('/'));
    // ldd(1): every line with a path names a file that is loaded with the program.
    let loaded = text(Command::new("ldd").arg(&gateway));
    for library in loaded.split_whitespace().filter(|word| word.starts_with('/')) {
        put(root, Path::new(library), library.trim_start_matches('/'));
    }
}

fn put(root: &Path, from: &Path, to: &str) {
    let to: PathBuf = root.join(to);
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(from, to).expect("Debian's busybox-static, and the gateway with its libraries");
}

/// An OCI layout with the one layer.
fn pack(root: &Path, layout: &Path) {
    fs::create_dir_all(layout.join("blobs/sha256")).unwrap();
    let layer = layout.join("layer.tar");
    text(Command::new("tar").args(["--owner=0", "--group=0", "-C"]).arg(root).arg("-cf").arg(&layer).arg("."));
    let (layer, size) = blob(layout, &layer);
    let described =
        |media: &str, digest: &str, size: u64| json!({ "mediaType": media, "digest": digest, "size": size });
    let written = |content: String| {
        let file = layout.join("blob");
        fs::write(&file, content).unwrap();
        blob(layout, &file)
    };
    let rootfs = json!({ "type": "layers", "diff_ids": [&layer] });
    let (config, length) = written(json!({ "architecture": "amd64", "os": "linux", "rootfs": rootfs }).to_string());
    let image = "application/vnd.oci.image";
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": format!("{image}.manifest.v1+json"),
        "config": described(&format!("{image}.config.v1+json"), &config, length),
        "layers": [described(&format!("{image}.layer.v1.tar"), &layer, size)],
    });
    let (manifest, length) = written(manifest.to_string());
    let index = json!({
        "schemaVersion": 2,
        "manifests": [described(&format!("{image}.manifest.v1+json"), &manifest, length)],
    });
    fs::write(layout.join("index.json"), index.to_string()).unwrap();
    fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}

/// Moves a file to where its digest says, and returns that and its size.
fn blob(layout: &Path, file: &Path) -> (String, u64) {
    let sum = text(Command::new("sha256sum").arg(file));
    let hex = sum.split_whitespace().next().unwrap().to_owned();
    let size = fs::metadata(file).unwrap().len();
    fs::rename(file, layout.join("blobs/sha256").join(&hex)).unwrap();
    (format!("sha256:{hex}"), size)
}
