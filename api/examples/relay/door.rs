//! The platform as it is, with its store on the disk; only the launcher makes nothing, for no computer runs.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use axum::http::Request;
use hyper::body::Incoming;
use matrixos_api::internal::Door;
use matrixos_api::{Names, Parts, Platform, Proxies};
use matrixos_netns::Network;
use matrixos_proxy::{Forwarder, listen};
use matrixos_runtime::cgroups::Groups;
use matrixos_runtime::client::LauncherClient;
use matrixos_runtime::protocol::Limits;
use matrixos_supervisor::accounts::{Accounts, Keys};
use matrixos_supervisor::channels::{self, ChannelKeys, Channels, Desk};
use matrixos_supervisor::clock::SystemClock;
use matrixos_supervisor::containers::{Containers, GatewayKey, Settings, Sleep};
use matrixos_supervisor::meter::{Meter, Prices, Settings as Money};
use matrixos_supervisor::relay::{Patience, Provider, ProviderKey, Relay};
use matrixos_supervisor::store::{FirstFactor, NewAccount, Rest, Store, User};
use matrixos_testkit::launcher;
use matrixos_types::{Bytes, Handle, Instance, Nanos, UserId};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{Failure, announce};

/// People who call.
const PEOPLE: u32 = 200;
/// The computers have no addresses of their own here, so each request says from which one it comes.
pub(crate) const FROM: &str = "x-from";

pub(crate) async fn serve(provider: SocketAddr) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(&folder.path().join("store"))?;
    let people: Vec<User> = (0..PEOPLE).map(|number| person(&store, number)).collect::<Result<_, _>>()?;
    let key = || GatewayKey::load_or_create(&folder.path().join("key"));
    let platform = platform(&store, folder.path(), key()?, provider).await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let (key, network) = (key()?, network()?);
    let guest = |user: &User| {
        let address = network.lease(user.seat).ok_or("no address")?.address.to_string();
        Ok::<_, Failure>((address, key.credential(&user.container).0))
    };
    announce(listener.local_addr()?, &people.iter().map(guest).collect::<Result<Vec<_>, _>>()?);
    let door = Door::new(platform);
    let answer = move |request: Request<Incoming>, peer: SocketAddr| {
        let from = request.headers().get(FROM).and_then(|from| from.to_str().ok()?.parse().ok());
        door.clone().answer(request, (from.unwrap_or(peer.ip()), 1).into())
    };
    listen::serve(listener, listen::Limits::default(), answer, CancellationToken::new()).await;
    Ok(())
}

fn network() -> Result<Network, Failure> {
    Ok(Network::new(Instance::default(), "10.213.0.0/16".parse()?)?)
}

async fn platform(
    store: &Store,
    folder: &std::path::Path,
    key: GatewayKey,
    provider: SocketAddr,
) -> Result<Platform, Failure> {
    let origin = Url::parse("http://localhost:8080")?;
    let (end, clock) = (CancellationToken::new(), Arc::new(SystemClock));
    let keys = Keys::load_or_create(folder, SystemTime::now())?;
    let channel_keys = ChannelKeys::of(&keys);
    let accounts = Accounts::new(store.clone(), clock.clone(), &origin, keys, end.clone())?;
    let settings = Settings {
        groups: Groups::of(&Instance::parse("nothing")?),
        network: network()?,
        limits: Limits::default(),
        image: "sha256:none".to_owned(),
        sleep: Sleep::default(),
        memory_floor: Bytes(0),
        on_rest: Box::new(|_| ()),
        clock: clock.clone(),
    };
    let client = LauncherClient::new(launcher::failing())?;
    let containers = Containers::take_charge(store.clone(), client, key, settings).await?;
    let desk = Arc::new(Desk::new(containers.clone(), store.clone()));
    let nowhere = channels::Settings { telegram_api: "http://127.0.0.1:9".to_owned(), telegram_webhook: None };
    let channels = Channels::open(store.clone(), desk, clock.clone(), &channel_keys, &nowhere, end)?;
    let money = Money { quota: Nanos::dollars(1_000_000), calls: 1_000 };
    let (meter, _notices) = Meter::open(store.clone(), Prices::shipped(), clock, money)?;
    let provider = Provider::new(&format!("http://{provider}"), Some(ProviderKey::parse("sk-for-a-measurement")?))?;
    let relay = Arc::new(Relay::new(provider, meter, Patience::default()));
    let parts = Parts { accounts, containers, relay, channels, forwarder: Forwarder::default() };
    Ok(Platform::new(parts, &Names { origin, user_domain: None }, Proxies::new(Vec::new())))
}

/// Somebody whose computer sleeps, so that nothing is launched.
fn person(store: &Store, number: u32) -> Result<User, Failure> {
    let factor = FirstFactor::Passkey { id: format!("p{number}"), passkey: serde_json::Value::Null };
    let handle = Handle::parse(&format!("person{number}"))?;
    let user = store.create_account(&NewAccount { id: UserId::random(), handle, created: 1, feed: false, factor })?;
    store.put_rest(&Rest { asleep: true, ..Rest::of_a_new(&user.container) })?;
    Ok(user)
}
