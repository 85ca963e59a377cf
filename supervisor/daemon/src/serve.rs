//! `matrixos serve`: everything that needs root, then giving root away, then serving.

use std::fs::{self, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use matrixos_api::admin::Machine;
use matrixos_api::internal::Door;
use matrixos_api::{Edge, Names, Parts, Platform, Proxies, Watch, admin};
use matrixos_launcher::{Spawned, spawn};
use matrixos_netns::Network;
use matrixos_proxy::{Forwarder, listen};
use matrixos_rootfs::image;
use matrixos_runtime::client::LauncherClient;
use matrixos_runtime::protocol::LauncherConfig;
use matrixos_supervisor::accounts::{Accounts, Keys};
use matrixos_supervisor::channels::{ChannelKeys, Channels, Desk};
use matrixos_supervisor::clock::SystemClock;
use matrixos_supervisor::containers::{Containers, GatewayKey, Settings};
use matrixos_supervisor::store::Store;
use matrixos_types::DiskQuota;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::config::Config;
use crate::doors::Doors;
use crate::layout::Layout;
use crate::notify::Manager;
use crate::privileges::{self, Account};
use crate::{ai, disk, doctor, doors, logging, watchdog};

/// The working directory, without a walk from the root. An absolute path, because sled turns relative ones into a walk.
const HERE: &str = "/proc/self/cwd";
/// What one computer may open at the door for computers.
const FOR_COMPUTERS: listen::Limits = listen::Limits { connections_per_peer: 64, ..listen::USUAL };
const TIDY_EVERY: Duration = Duration::from_secs(600);
/// Memory can run short within seconds; looking costs one small file.
const RELIEVE_EVERY: Duration = Duration::from_secs(2);

/// What root has prepared for the process that will not be root.
struct Prepared {
    doors: Doors,
    admin: UnixListener,
    launcher: OwnedFd,
    child: Child,
    settings: Settings,
    manager: Manager,
    machine: Machine,
    forwarder: Forwarder,
    ai: ai::Prepared,
}

pub(crate) fn run(config: &Config) -> Result<()> {
    logging::init(config.log);
    doctor::ensure_fit(config)?;
    ensure!(
        matrixos_api::are_built(),
        "this program was built without its pages; build api/web first, then the program (scripts/run does both)"
    );
    let account = privileges::account(&config.user)?;
    let prepared = prepare(config, account)?;
    // The data may lie below a directory that the serving account may not pass through, /root for example. Its own
    // directories are reached from here: see `HERE`.
    std::env::set_current_dir(&config.data).with_context(|| format!("cannot enter {}", config.data.display()))?;
    privileges::drop_to(account)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
    runtime.block_on(serve(config, prepared))
}

fn prepare(config: &Config, account: Account) -> Result<Prepared> {
    let layout = Layout::of(config);
    layout.make(account)?;
    let image = image::current(&config.data)?;
    image::ensure_unpacked(&config.data, &image).context("the image of the computers")?;
    let network = Network::new(config.instance.clone(), config.pool)?;
    let admin = bind_admin(&layout.socket(), account)?;
    let manager = Manager::from_env().context("the service manager's socket")?;
    let computers = for_computers(&network, config.service_port);
    let doors = doors::open(&config.listen, &computers, config.metrics.as_slice(), &manager)?;
    let disk = disk::decide(config)?;
    disk::tell(&disk);
    let Spawned { socket, child } = spawn(&launcher_config(config, disk.means))?;
    let forwarder = Forwarder::default();
    let settings = Settings {
        groups: config.groups.clone(),
        network,
        limits: config.limits,
        image,
        sleep: config.sleep,
        memory_floor: config.memory_floor,
        on_rest: Box::new({
            let forwarder = forwarder.clone();
            move |address| forwarder.forget(address)
        }),
        clock: Arc::new(SystemClock),
    };
    let ai = ai::prepare(&config.ai)?;
    let machine = Machine { disk_quota: disk.means, disk_quota_why: disk.why };
    Ok(Prepared { doors, admin, launcher: socket, child, settings, manager, machine, forwarder, ai })
}

fn launcher_config(config: &Config, disk: DiskQuota) -> LauncherConfig {
    LauncherConfig {
        instance: config.instance.clone(),
        data: config.data.clone(),
        run: config.run.clone(),
        pool: config.pool,
        groups: config.groups.clone(),
        domain: config.computers_domain().to_owned(),
        disk,
        services: vec![config.service_port],
    }
}

/// The platform's own address on each bridge that there may be.
fn for_computers(network: &Network, port: u16) -> Vec<SocketAddr> {
    (0..network.bridges()).map(|index| (network.gateway(index), port).into()).collect()
}

/// The operator's socket: for root, and for the supervisor that serves it.
fn bind_admin(path: &Path, account: Account) -> Result<UnixListener> {
    if UnixStream::connect(path).is_ok() {
        bail!(
            "the platform runs already (its socket {} answers); stop it first, or use --instance for a second one",
            path.display()
        );
    }
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            return Err(e).with_context(|| format!("cannot replace {}", path.display()));
        }
        _ => {}
    }
    let listener = UnixListener::bind(path).with_context(|| format!("cannot listen on {}", path.display()))?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    chown(path, Some(account.uid.as_raw()), Some(account.gid.as_raw()))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn serve(config: &Config, prepared: Prepared) -> Result<()> {
    let end = CancellationToken::new();
    let store = Store::open(&Path::new(HERE).join("store")).context("opening the store")?;
    let keys = Path::new(HERE).join("keys");
    let key = GatewayKey::load_or_create(&keys.join("gateway.key")).context("the key of the gateways")?;
    let keys = Keys::load_or_create(&keys, SystemTime::now()).context("the keys of the accounts")?;
    let channel_keys = ChannelKeys::of(&keys);
    let launcher = LauncherClient::new(prepared.launcher).context("the launcher's socket")?;
    // What is open to computers ends when the platform drains.
    let accounts = Accounts::new(store.clone(), Arc::new(SystemClock), &config.origin, keys, end.clone())
        .map_err(anyhow::Error::msg)?;
    let (relay, notices) = prepared.ai.open(store.clone()).context("opening the ledger of AI calls")?;
    let containers = Containers::take_charge(store.clone(), launcher, key, prepared.settings)
        .await
        .context("taking charge of the computers")?;
    let desk = Arc::new(Desk::new(containers.clone(), store.clone()));
    let channels =
        Channels::open(store, desk, Arc::new(SystemClock), &channel_keys, &config.channels, end.child_token())
            .context("opening the channels")?;
    let proxies = Proxies::new(config.trusted_proxies.clone());
    let names = Names { origin: config.origin.clone(), user_domain: config.user_domain.clone() };
    let platform = Platform::new(
        Parts { accounts, containers: containers.clone(), relay, channels, forwarder: prepared.forwarder },
        &names,
        proxies,
    );
    let mut doors = JoinSet::new();
    let (front, inner) = (Edge::new(platform.clone()), Door::new(platform.clone()));
    for listener in prepared.doors.front {
        let (listener, edge) = (tokio::net::TcpListener::from_std(listener)?, front.clone());
        let answer = move |request, peer| edge.clone().answer(request, peer);
        doors.spawn(listen::serve(listener, listen::Limits::default(), answer, end.clone()));
    }
    for listener in prepared.doors.computers {
        let (listener, door) = (tokio::net::TcpListener::from_std(listener)?, inner.clone());
        let answer = move |request, peer| door.clone().answer(request, peer);
        doors.spawn(listen::serve(listener, FOR_COMPUTERS, answer, end.clone()));
    }
    let watch = Watch::new(platform.clone());
    for listener in prepared.doors.watch {
        let (listener, watch) = (tokio::net::TcpListener::from_std(listener)?, watch.clone());
        let answer = move |request, peer| watch.clone().answer(request, peer);
        doors.spawn(listen::serve(listener, listen::Limits::default(), answer, end.clone()));
    }
    let admin = tokio::net::UnixListener::from_std(prepared.admin)?;
    tokio::spawn(axum_admin(admin, platform.clone(), prepared.machine));
    tokio::spawn(platform.clone().tell_about_budgets(notices));
    tokio::spawn(tidy(platform));
    tokio::spawn(relieve(containers.clone()));
    info!(origin = %config.origin.as_str().trim_end_matches('/'), "ready");
    let manager = Arc::new(prepared.manager);
    manager.ready();
    tokio::spawn(watchdog::feed(manager.clone(), containers));
    let outcome = until_the_end(prepared.child).await;
    info!("draining; the computers run on");
    manager.stopping();
    end.cancel();
    while doors.join_next().await.is_some() {}
    outcome
}

async fn axum_admin(socket: tokio::net::UnixListener, platform: Platform, machine: Machine) {
    if let Err(error) = admin::serve(socket, platform, machine).await {
        error!(%error, "the operator's socket is closed");
    }
}

async fn tidy(platform: Platform) {
    let mut pause = tokio::time::interval(TIDY_EVERY);
    loop {
        pause.tick().await;
        platform.tidy().await;
    }
}

/// Frozen computers give way before the host runs out of memory, not only when the next one is to start.
async fn relieve(containers: Arc<Containers>) {
    let mut pause = tokio::time::interval(RELIEVE_EVERY);
    loop {
        pause.tick().await;
        containers.relieve();
    }
}

/// Returns when the process is asked to end; fails when the launcher has ended, since nothing works without it.
async fn until_the_end(mut launcher: Child) -> Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let gone = tokio::task::spawn_blocking(move || launcher.wait());
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        status = gone => match status {
            Ok(Ok(status)) => bail!("the launcher ended ({status}); start the platform again (the computers run on)"),
            _ => bail!("the launcher was lost; start the platform again (the computers run on)"),
        },
    }
}
