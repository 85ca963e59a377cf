//! Building the image without a daemon: a base layer of Debian packages by mmdebstrap, and a layer with the gateway,
//! the desktop and the home template. The base is kept under the digest of what it was made from.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use matrixos_types::computer::{GATEWAY_PATH, HOME, HOME_ID, SHELL_PATH, TEMPLATE_PATH};
use oci_spec::image::{
    Arch, ConfigBuilder, ImageConfigurationBuilder, ImageManifestBuilder, MediaType, Os, RootFsBuilder, SCHEMA_VERSION,
};
use sha2::{Digest, Sha256};

use super::layer::{self, Layer};
use super::layout::{self, to_hex};
use super::{ImageError, TAG, at, ensure_unpacked, lock, root};

const SUITE: &str = "bookworm";
const CUSTOMISE: &str = include_str!("../../image/customise.sh");

/// What an image is made of.
#[derive(Clone, Debug)]
pub struct Parts {
    /// File with the Debian packages, one name a line.
    pub packages: PathBuf,
    /// The gateway program.
    pub gateway: PathBuf,
    /// Folder with the built desktop.
    pub shell: PathBuf,
    /// Folder with the home template.
    pub home: PathBuf,
}

/// Builds, tags and unpacks the image, and returns its digest. `say` is told what is being done, for people.
/// `created` is the time to record (RFC 3339).
pub fn build(data: &Path, parts: &Parts, created: &str, say: &mut dyn FnMut(&str)) -> Result<String, ImageError> {
    layout::ensure(data)?;
    let _lock = lock(data)?;
    let base = base(data, &parts.packages, say)?;
    say("Adding the gateway, the desktop and the home template");
    let own = layer::store(data, |sink| own_files(parts, sink))?;
    let digest = assemble(data, &[base, own], created)?;
    if root(data, &digest).is_err() {
        say("Unpacking");
        ensure_unpacked(data, &digest)?;
    }
    Ok(digest)
}

fn base(data: &Path, packages: &Path, say: &mut dyn FnMut(&str)) -> Result<Layer, ImageError> {
    let list = fs::read_to_string(packages).map_err(at("read", packages))?;
    let names: Vec<&str> = list.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).collect();
    let key = to_hex(&Sha256::digest(format!("{SUITE}\n{}\n{CUSTOMISE}", names.join("\n"))));
    let record = data.join("images").join(format!("base-{}.json", &key[..16]));
    if let Some(kept) = kept(data, &record) {
        return Ok(kept);
    }
    say(&format!("Building the base system from {} Debian packages and what they need (a minute or two)", names.len()));
    let layer = layer::store(data, |sink| debootstrap(&names.join(","), sink))?;
    layout::write(&record, &serde_json::to_vec(&layer).expect("a layer is JSON"))?;
    Ok(layer)
}

/// The base layer of an earlier build, if its blob is still what it was.
fn kept(data: &Path, record: &Path) -> Option<Layer> {
    let layer: Layer = serde_json::from_slice(&fs::read(record).ok()?).ok()?;
    let descriptor = layer.descriptor().ok()?;
    layer::read(data, &descriptor, |_| Ok(())).ok()?;
    Some(layer)
}

fn debootstrap(include: &str, sink: &mut dyn io::Write) -> Result<(), ImageError> {
    let folder = tempfile::tempdir().map_err(at("write in", Path::new("/tmp")))?;
    let hook = folder.path().join("customise.sh");
    fs::write(&hook, CUSTOMISE).map_err(at("write", &hook))?;
    let errors_path = folder.path().join("errors");
    let errors = File::create(&errors_path).map_err(at("write", &errors_path))?;
    let mut command = Command::new("mmdebstrap");
    command.args(["--quiet", "--variant=minbase"]).arg(format!("--include={include}"));
    command.arg(format!("--customize-hook=sh {} \"$1\"", hook.display())).args([SUITE, "-"]);
    command.args(sources());
    let tool = |message: String| ImageError::Tool { tool: "mmdebstrap", message };
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors).spawn();
    let mut child = spawned.map_err(|e| tool(format!("{e}; do: apt-get install mmdebstrap")))?;
    let mut stdout = child.stdout.take().ok_or_else(|| tool("it has no output".to_owned()))?;
    let copied = io::copy(&mut stdout, sink);
    let status = child.wait().map_err(|e| tool(e.to_string()))?;
    if !status.success() {
        let said = fs::read_to_string(&errors_path).unwrap_or_default();
        let last: Vec<_> = said.lines().rev().take(5).collect();
        return Err(tool(last.into_iter().rev().collect::<Vec<_>>().join("; ")));
    }
    copied.map(drop).map_err(|e| tool(e.to_string()))
}

/// The machine's own Debian sources, so that a local mirror is used; mmdebstrap's default where there are none.
fn sources() -> Option<PathBuf> {
    ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"]
        .into_iter()
        .map(PathBuf::from)
        .find(|p| p.exists())
}

fn own_files(parts: &Parts, sink: &mut dyn io::Write) -> Result<(), ImageError> {
    let mut tar = tar::Builder::new(sink);
    directories(&mut tar, Path::new(GATEWAY_PATH).parent().expect("a program lies in a folder"))?;
    file(&mut tar, &parts.gateway, Path::new(GATEWAY_PATH), 0o755)?;
    for (from, to) in [(&parts.shell, SHELL_PATH), (&parts.home, TEMPLATE_PATH)] {
        directories(&mut tar, Path::new(to))?;
        folder(&mut tar, from, Path::new(to))?;
    }
    tar.into_inner().map(drop).map_err(at("end the layer of", &parts.gateway))
}

type Tar<'a> = tar::Builder<&'a mut dyn io::Write>;

/// Every folder down to `path`; without them an unpacking tool would invent owners and modes.
fn directories(tar: &mut Tar<'_>, path: &Path) -> Result<(), ImageError> {
    let mut chain: Vec<_> = path.ancestors().filter(|p| *p != Path::new("/")).collect();
    chain.reverse();
    // `/usr`, `/usr/lib` and the like are the base layer's own.
    chain.into_iter().skip(2).try_for_each(|folder| directory(tar, folder))
}

fn directory(tar: &mut Tar<'_>, to: &Path) -> Result<(), ImageError> {
    append(tar, to, tar::EntryType::Directory, 0o755, &[])
}

fn folder(tar: &mut Tar<'_>, from: &Path, to: &Path) -> Result<(), ImageError> {
    let mut entries = fs::read_dir(from).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(at("read", from))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            directory(tar, &target)?;
            folder(tar, &source, &target)?;
        } else {
            file(tar, &source, &target, 0o644)?;
        }
    }
    Ok(())
}

fn file(tar: &mut Tar<'_>, from: &Path, to: &Path, mode: u32) -> Result<(), ImageError> {
    let mut bytes = Vec::new();
    File::open(from).and_then(|mut f| f.read_to_end(&mut bytes)).map_err(at("read", from))?;
    append(tar, to, tar::EntryType::Regular, mode, &bytes)
}

/// Owner root, time zero: the same input gives the same layer.
fn append(tar: &mut Tar<'_>, to: &Path, kind: tar::EntryType, mode: u32, bytes: &[u8]) -> Result<(), ImageError> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(bytes.len() as u64);
    let inside = to.strip_prefix("/").unwrap_or(to);
    tar.append_data(&mut header, inside, bytes).map_err(at("add", to))
}

/// Writes configuration and manifest of the layers, and tags the image.
fn assemble(data: &Path, layers: &[Layer], created: &str) -> Result<String, ImageError> {
    let run = ConfigBuilder::default()
        .user(format!("{HOME_ID}:{HOME_ID}"))
        .entrypoint(vec![GATEWAY_PATH.to_owned()])
        .working_dir(HOME.to_owned())
        .env(vec!["PATH=/usr/local/bin:/usr/bin:/bin".to_owned(), "LANG=C.UTF-8".to_owned(), format!("HOME={HOME}")])
        .build()
        .expect("all required fields are set");
    let diff_ids = layers.iter().map(|l| l.diff_id.clone()).collect::<Vec<_>>();
    let rootfs = RootFsBuilder::default()
        .typ("layers".to_owned())
        .diff_ids(diff_ids)
        .build()
        .expect("all required fields are set");
    let architecture = if cfg!(target_arch = "aarch64") { Arch::ARM64 } else { Arch::Amd64 };
    let configuration = ImageConfigurationBuilder::default()
        .os(Os::Linux)
        .architecture(architecture)
        .config(run)
        .rootfs(rootfs)
        .build()
        .expect("all required fields are set");
    let configuration = configuration.to_string().expect("a configuration is JSON");
    let configuration = layout::put(data, MediaType::ImageConfig, configuration.as_bytes())?;
    let manifest = ImageManifestBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageManifest)
        .config(configuration)
        .layers(layers.iter().map(Layer::descriptor).collect::<Result<Vec<_>, _>>()?)
        .build()
        .expect("all required fields are set");
    let manifest = manifest.to_string().expect("a manifest is JSON");
    let manifest = layout::put(data, MediaType::ImageManifest, manifest.as_bytes())?;
    layout::tag(data, &manifest, TAG, created)?;
    Ok(manifest.digest().to_string())
}
