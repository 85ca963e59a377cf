//! Launching a container: home, control groups and namespaces by libcontainer, network, start. Runs in a child of its
//! own; whatever fails, what had been made is taken down again.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::net::SocketAddrV4;
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Instant;

use libcontainer::container::Container;
use libcontainer::container::builder::ContainerBuilder;
use libcontainer::syscall::syscall::SyscallType;
use matrixos_netns::{Lease, apply};
use matrixos_rootfs::{image, quota, tree};
use matrixos_runtime::protocol::{Failure, FailureKind, Identity, Launch, Running};
use matrixos_runtime::spec::{Place, clamp, confine};
use nix::errno::Errno;

use crate::adopt;
use crate::files;
use crate::house::House;
use crate::record::Record;
use crate::removal;

/// Name of the log in a container's folder.
pub(crate) const LOG: &str = "log";

/// Starts the container, or finds it running.
pub(crate) fn launch(house: &House, request: &Launch) -> Result<Running, Failure> {
    if let Some((identity, _)) = adopt::find(house, &request.container) {
        return Ok(Running { identity, fresh: false, steps: Vec::new() });
    }
    let lease = house
        .lease(request.seat)
        .ok_or_else(|| refused("network", "the address pool is too small for this seat; enlarge network.pool"))?;
    removal::take_down(house, &request.container, Some(request.seat))?;
    let result = make(house, request, &lease);
    if result.is_err() {
        // The first failure is the one worth telling.
        let _ = removal::take_down(house, &request.container, Some(request.seat));
    }
    result
}

fn make(house: &House, request: &Launch, lease: &Lease) -> Result<Running, Failure> {
    let mut clock = Steps::begin();
    let (home, disk_is_held) = home(house, request)?;
    let image_root = image_root(house, request)?;
    clock.done("home");
    let folder = folder(house, request)?;
    apply::ensure(&house.network, lease.bridge_index, &house.config.services).map_err(|e| failed("network", e))?;
    clock.done("bridge");
    let place = Place {
        image_root,
        home,
        disk_is_held,
        group: house.group(&request.container),
        layout: house.layout,
        domain: house.config.domain.clone(),
        services: house.config.services.first().map(|&port| SocketAddrV4::new(lease.gateway, port)),
    };
    let mut container = create(house, request, &folder, &place)?;
    clock.done("create");
    let pid = container.pid().ok_or_else(|| failed("create", "libcontainer reports no process"))?.as_raw();
    let identity = adopt::identify(pid).map_err(|e| failed("create", e))?;
    record(request, Some(identity.clone())).write(&folder).map_err(io_failure("record"))?;
    let namespace = File::open(format!("/proc/{pid}/ns/net")).map_err(io_failure("network"))?;
    apply::attach(lease, namespace.as_fd()).map_err(|e| failed("network", e))?;
    clock.done("network");
    container.start().map_err(|e| failed("start", chain(&e)))?;
    clock.done("start");
    Ok(Running { identity, fresh: true, steps: clock.steps })
}

/// The user's tree, as it appears in the launcher's view, and whether it is held to its share of the disk.
fn home(house: &House, request: &Launch) -> Result<(PathBuf, bool), Failure> {
    files::ensure_there(house, request.seat, &request.handle)?;
    let (users, share) = (house.users(), clamp(request.limits).disk);
    let tree = tree::ensure(&users, &request.handle, request.seat).map_err(|e| failed("home", e))?;
    let held = quota::enforce(house.config.disk, &tree::folder(&users, &request.handle), request.seat, share)
        .map_err(|e| failed("disk", e))?;
    Ok((tree, held))
}

fn image_root(house: &House, request: &Launch) -> Result<PathBuf, Failure> {
    let root = image::root(&house.config.data, &request.image).map_err(|e| refused("image", e))?;
    let inside = root.strip_prefix(image::roots(&house.config.data)).map_err(|e| failed("image", e))?;
    Ok(house.roots().join(inside))
}

/// The container's own folder with the record of a container in the making.
fn folder(house: &House, request: &Launch) -> Result<PathBuf, Failure> {
    let folder = house.container(&request.container);
    DirBuilder::new().mode(0o700).create(&folder).map_err(io_failure("folder"))?;
    record(request, None).write(&folder).map_err(io_failure("record"))?;
    Ok(folder)
}

fn record(request: &Launch, identity: Option<Identity>) -> Record {
    Record { container: request.container.clone(), seat: request.seat, handle: request.handle.clone(), identity }
}

fn create(house: &House, request: &Launch, folder: &Path, place: &Place) -> Result<Container, Failure> {
    let spec = confine(request, place);
    spec.for_libcontainer().save(folder.join("config.json")).map_err(|e| failed("configuration", e))?;
    let log = log(folder).map_err(io_failure("log"))?;
    let nothing = File::open("/dev/null").map_err(io_failure("log"))?;
    let builder = ContainerBuilder::new(request.container.to_string(), SyscallType::default())
        .with_root_path(house.states())
        .map_err(|e| failed("create", chain(&e)))?
        .with_stdin(nothing)
        .with_stdout(log.try_clone().map_err(io_failure("log"))?)
        .with_stderr(log);
    let built = builder.as_init(folder).with_systemd(false).with_detach(true).build();
    // The configuration holds the gateway's token; nothing needs it any more.
    let _ = fs::remove_file(folder.join("config.json"));
    let _ = fs::remove_file(house.states().join(request.container.as_str()).join("config.json"));
    built.map_err(|e| failed("create", chain(&e)))
}

/// Never a pipe: its reader might go away while the container lives on. `logs` bounds it.
fn log(folder: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(folder.join(LOG))
}

/// How long each step took.
struct Steps {
    last: Instant,
    steps: Vec<(String, u64)>,
}

impl Steps {
    fn begin() -> Self {
        Self { last: Instant::now(), steps: Vec::new() }
    }

    fn done(&mut self, step: &str) {
        let now = Instant::now();
        let micros = u64::try_from((now - self.last).as_micros()).unwrap_or(u64::MAX);
        self.steps.push((step.to_owned(), micros));
        self.last = now;
    }
}

/// An error with all of its causes: libcontainer's outermost message says little.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn failed(step: &str, message: impl ToString) -> Failure {
    Failure { kind: FailureKind::Failed, step: step.to_owned(), message: message.to_string() }
}

fn refused(step: &str, message: impl ToString) -> Failure {
    Failure { kind: FailureKind::Refused, ..failed(step, message) }
}

fn io_failure(step: &'static str) -> impl FnOnce(io::Error) -> Failure {
    move |error| {
        let used_up = [Errno::ENOSPC, Errno::EDQUOT, Errno::ENOMEM, Errno::EMFILE, Errno::ENFILE];
        let exhausted = used_up.iter().any(|e| error.raw_os_error() == Some(*e as i32));
        let kind = if exhausted { FailureKind::Exhausted } else { FailureKind::Failed };
        Failure { kind, ..failed(step, error) }
    }
}
