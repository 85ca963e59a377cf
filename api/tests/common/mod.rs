//! The platform behind its real accept loop, with a real store and a clock set by hand; only the launcher makes nothing.
#![allow(dead_code, reason = "each test program uses a part of it")]

pub(crate) mod world;

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use matrixos_api::admin::Machine;
use matrixos_api::internal::Door;
use matrixos_api::{Edge, Names, Parts, Platform, Proxies, admin};
use matrixos_netns::Network;
use matrixos_proxy::{Forwarder, listen};
use matrixos_runtime::cgroups::Groups;
use matrixos_runtime::client::LauncherClient;
use matrixos_runtime::protocol::Limits;
use matrixos_supervisor::accounts::{Accounts, Keys};
use matrixos_supervisor::channels::{self, ChannelKeys, Channels, Desk};
use matrixos_supervisor::clock::Clock;
use matrixos_supervisor::containers::{Containers, GatewayKey, Settings, Sleep};
use matrixos_supervisor::meter::{Meter, Prices};
use matrixos_supervisor::relay::{Patience, Provider, ProviderKey, Relay};
use matrixos_supervisor::store::Store;
use matrixos_testkit::authenticator::Device;
use matrixos_testkit::{HandClock, launcher};
use matrixos_types::{Bytes, DiskQuota, Handle, Instance};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;
use url::Url;

struct TestClock(Arc<HandClock>);

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
}

pub(crate) struct House {
    pub(crate) address: SocketAddr,
    pub(crate) origin: String,
    /// What stands behind every handle.
    computers: String,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) store: Store,
    pub(crate) platform: Platform,
    pub(crate) key: GatewayKey,
    pub(crate) relay: Arc<Relay>,
    /// The door for computers.
    door: SocketAddr,
    /// The next address that asks.
    next: AtomicU32,
    operator: PathBuf,
    _folder: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {} {}", self.head, self.body))
    }

    pub(crate) fn code(&self) -> String {
        serde_json::from_str::<Value>(&self.body).unwrap_or_default()["error"]["code"].as_str().unwrap_or("").to_owned()
    }

    pub(crate) fn headers(&self, name: &str) -> Vec<String> {
        let lines = self.head.lines().filter(|l| l.to_lowercase().starts_with(&format!("{name}: ")));
        lines.filter_map(|line| line.split_once(": ")).map(|(_, value)| value.to_owned()).collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers(name).into_iter().next()
    }

    /// The cookies it sets, as a browser sends them back.
    pub(crate) fn cookies(&self) -> String {
        let set = self.headers("set-cookie");
        for cookie in &set {
            assert!(
                cookie.starts_with("__Host-mx_")
                    && cookie.ends_with("; Secure; HttpOnly; SameSite=Lax")
                    && cookie.contains("; Path=/;")
                    && !cookie.contains("Domain"),
                "{cookie}"
            );
        }
        set.iter().map(|c| c.split(';').next().unwrap_or_default()).collect::<Vec<_>>().join("; ")
    }

    /// The same, where there has to be at least one.
    pub(crate) fn cookie(&self) -> String {
        let cookies = self.cookies();
        assert!(!cookies.is_empty(), "no cookie: {}", self.head);
        cookies
    }
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::with(launcher::failing()).await
    }

    /// A house with that launcher.
    pub(crate) async fn with(launcher: OwnedFd) -> Self {
        Self::called(launcher, "http", None).await
    }

    /// A house whose people come by that scheme, and whose computers have that domain.
    pub(crate) async fn called(launcher: OwnedFd, scheme: &str, user_domain: Option<&str>) -> Self {
        Self::build(launcher, scheme, user_domain, no_provider(), nowhere()).await
    }

    /// A house whose AI calls go to that provider.
    pub(crate) async fn with_provider(provider: &str, patience: Patience) -> Self {
        Self::build(launcher::failing(), "http", None, (provider, patience), nowhere()).await
    }

    /// A house whose channels are reached so.
    pub(crate) async fn with_channels(telegram: impl FnOnce(&Url) -> channels::Settings) -> Self {
        Self::build(launcher::failing(), "http", None, no_provider(), telegram).await
    }

    async fn build(
        launcher: OwnedFd,
        scheme: &str,
        user_domain: Option<&str>,
        provider: (&str, Patience),
        telegram: impl FnOnce(&Url) -> channels::Settings,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let origin = Url::parse(&format!("{scheme}://localhost:{}", address.port())).expect("a URL");
        let store = Store::open(&folder.path().join("store")).expect("a store");
        let clock = Arc::new(HandClock::default());
        let keys = Keys::load_or_create(folder.path(), clock.now()).expect("keys");
        let end = CancellationToken::new();
        let channel_keys = ChannelKeys::of(&keys);
        let accounts = Accounts::new(store.clone(), Arc::new(TestClock(clock.clone())), &origin, keys, end.clone())
            .expect("accounts");
        let settings = Settings {
            groups: Groups::of(&Instance::parse("nothing").expect("a name")),
            network: Network::new(Instance::default(), "10.213.0.0/16".parse().expect("a net")).expect("a pool"),
            limits: Limits::default(),
            image: "sha256:none".to_owned(),
            sleep: Sleep::default(),
            memory_floor: Bytes(0),
            on_rest: Box::new(|_| ()),
            clock: Arc::new(TestClock(clock.clone())),
        };
        let key = || GatewayKey::load_or_create(&folder.path().join("key")).expect("a key");
        let client = LauncherClient::new(launcher).expect("a client");
        let containers = Containers::take_charge(store.clone(), client, key(), settings).await.expect("nothing runs");
        let relay = relay(&store, &clock, provider);
        let desk = Arc::new(Desk::new(containers.clone(), store.clone()));
        let timer = Arc::new(TestClock(clock.clone()));
        let channels = Channels::open(store.clone(), desk, timer, &channel_keys, &telegram(&origin), end.clone());
        let channels = channels.expect("channels");
        let proxies = Proxies::new(vec!["127.0.0.1/32".parse().expect("a net")]);
        let names = Names { origin: origin.clone(), user_domain: user_domain.map(str::to_owned) };
        let platform = Platform::new(
            Parts { accounts, containers, relay: relay.clone(), channels, forwarder: Forwarder::default() },
            &names,
            proxies,
        );
        let machine = Machine { disk_quota: DiskQuota::Nothing, disk_quota_why: "a test".to_owned() };
        let operator = folder.path().join("operator");
        tokio::spawn(admin::serve(UnixListener::bind(&operator).expect("a socket"), platform.clone(), machine));
        let edge = Edge::new(platform.clone());
        let answer = move |request, peer| edge.clone().answer(request, peer);
        tokio::spawn(listen::serve(listener, listen::Limits::default(), answer, end.clone()));
        let door = inner_door(platform.clone(), end).await;
        let (origin, key) = (origin.origin().ascii_serialization(), key());
        Self {
            address,
            origin,
            computers: format!("{}:{}", user_domain.unwrap_or("localhost"), address.port()),
            clock,
            store,
            platform,
            key,
            relay,
            door,
            next: AtomicU32::new(1 << 8),
            operator,
            _folder: folder,
        }
    }

    /// One request at the door for computers, from that address, with those header fields.
    pub(crate) async fn inside(&self, from: &str, method: &str, path: &str, fields: &str, body: &str) -> Answer {
        let length = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        let mut stream = TcpStream::connect(self.door).await.expect("connected");
        let head = format!("{method} {path} HTTP/1.1\r\nhost: door\r\n{FROM}: {from}\r\n{fields}{length}");
        stream.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes()).await.expect("written");
        answer(&mut stream).await
    }

    /// The same without a body, whose length the fields may tell or not.
    pub(crate) async fn inside_raw(&self, from: &str, method: &str, path: &str, fields: &str) -> Answer {
        let mut stream = TcpStream::connect(self.door).await.expect("connected");
        let head = format!("{method} {path} HTTP/1.1\r\nhost: door\r\n{FROM}: {from}\r\n{fields}");
        stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).await.expect("written");
        answer(&mut stream).await
    }

    /// A request whose body is the caller's to send.
    pub(crate) async fn inside_open(&self, from: &str, method: &str, path: &str, fields: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.door).await.expect("connected");
        let head = format!("{method} {path} HTTP/1.1\r\nhost: door\r\n{FROM}: {from}\r\n{fields}\r\n");
        stream.write_all(head.as_bytes()).await.expect("written");
        stream
    }

    /// A request whose answer is the caller's to read, or not.
    pub(crate) async fn inside_begun(&self, from: &str, path: &str, fields: &str, body: &str) -> TcpStream {
        let length = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        let mut stream = TcpStream::connect(self.door).await.expect("connected");
        let head = format!("POST {path} HTTP/1.1\r\nhost: door\r\n{FROM}: {from}\r\n{fields}{length}\r\n");
        stream.write_all(format!("{head}{body}").as_bytes()).await.expect("written");
        stream
    }

    /// The address and the credential of a computer.
    pub(crate) fn resident(&self, handle: &str) -> (String, String) {
        let handle = Handle::parse(handle).expect("a handle");
        let user = self.store.user_by_handle(&handle).expect("the store").expect("an account");
        let network = Network::new(Instance::default(), "10.213.0.0/16".parse().expect("a net")).expect("a pool");
        let address = network.lease(user.seat).expect("a lease").address;
        (address.to_string(), self.key.credential(&user.container).0)
    }

    pub(crate) async fn raw(&self, request: String) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.expect("connected");
        stream.write_all(request.as_bytes()).await.expect("written");
        answer(&mut stream).await
    }

    /// One request, each from another network.
    pub(crate) async fn ask(&self, method: &str, host: &str, path: &str, fields: &str, body: &str) -> Answer {
        let next = std::net::Ipv4Addr::from((11 << 24) + self.next.fetch_add(1 << 8, Ordering::SeqCst));
        self.ask_from(&next.to_string(), method, host, path, fields, body).await
    }

    pub(crate) async fn ask_from(
        &self,
        from: &str,
        method: &str,
        host: &str,
        path: &str,
        fields: &str,
        body: &str,
    ) -> Answer {
        let length = if body.is_empty() {
            String::new()
        } else {
            format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len())
        };
        let fields = format!("x-forwarded-for: {from}\r\n{fields}{length}");
        self.raw(format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n{fields}connection: close\r\n\r\n{body}")).await
    }

    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    pub(crate) fn computer(&self, handle: &str) -> String {
        format!("{handle}.{}", self.computers)
    }

    /// The address of a host as browsers write it.
    pub(crate) fn url(&self, host: &str) -> String {
        let (scheme, _) = self.origin.split_once(':').expect("an origin");
        format!("{scheme}://{host}")
    }

    /// The fields that a page of the platform sends, in the browser with that cookie.
    pub(crate) fn own(&self, cookie: &str) -> String {
        format!("origin: {}\r\nsec-fetch-site: same-origin\r\ncookie: {cookie}\r\n", self.origin)
    }

    /// As the platform's own page, in the browser with that cookie.
    pub(crate) async fn page(&self, method: &str, path: &str, cookie: &str, body: &Value) -> Answer {
        let body = if method == "GET" { String::new() } else { body.to_string() };
        self.ask(method, &self.host(), path, &self.own(cookie), &body).await
    }

    /// As the operator.
    pub(crate) async fn operator(&self, method: &str, path: &str) -> Answer {
        let mut stream = UnixStream::connect(&self.operator).await.expect("connected");
        let request = format!("{method} {path} HTTP/1.1\r\nhost: matrixos\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("written");
        answer(&mut stream).await
    }

    pub(crate) async fn sign_up(&self, handle: &str, device: &mut Device) -> String {
        let started = self.page("POST", "/api/signup/start", "", &json!({ "handle": handle })).await.json();
        let credential = device.register(&started["publicKey"]).expect("registered");
        let body = json!({ "ceremony": started["ceremony"], "credential": credential, "feed": true });
        let finished = self.page("POST", "/api/signup/finish", "", &body).await;
        assert_eq!(finished.status, 201, "{}", finished.body);
        assert_eq!(finished.json()["computer"], format!("{}/", self.url(&self.computer(handle))));
        finished.cookie()
    }

    pub(crate) async fn sign_in(&self, device: &mut Device) -> String {
        let started = self.page("POST", "/api/login/start", "", &json!({})).await.json();
        let credential = device.sign_in(&started["publicKey"]).expect("signed");
        let body = json!({ "ceremony": started["ceremony"], "credential": credential });
        let finished = self.page("POST", "/api/login/finish", "", &body).await;
        assert_eq!(finished.status, 200, "{}", finished.body);
        finished.cookie()
    }

    /// Opens a computer as its owner's browser does; gives the cookies of the computer's host.
    pub(crate) async fn enter(&self, handle: &str, cookie: &str) -> String {
        let away = self.open_page(&self.computer(handle), "/", "").await;
        let entry = away.cookie();
        let door = self.follow(&away, &self.host(), cookie).await;
        self.follow(&door, &self.computer(handle), &entry).await.cookie()
    }

    /// A person opens an address.
    pub(crate) async fn open_page(&self, host: &str, path: &str, cookie: &str) -> Answer {
        let fields = format!("cookie: {cookie}\r\nsec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\n");
        self.ask("GET", host, path, &fields, "").await
    }

    /// Goes where an answer leads, which must be at `host`.
    pub(crate) async fn follow(&self, answer: &Answer, host: &str, cookie: &str) -> Answer {
        let location = answer.header("location").unwrap_or_else(|| panic!("no way on: {}", answer.head));
        let path = location.strip_prefix(&self.url(host)).unwrap_or_else(|| panic!("{location}"));
        self.open_page(host, path, cookie).await
    }
}

/// No channel can be reached.
fn nowhere() -> impl FnOnce(&Url) -> channels::Settings {
    |_| channels::Settings { telegram_api: "http://127.0.0.1:9".to_owned(), telegram_webhook: None }
}

/// No provider can be reached.
fn no_provider() -> (&'static str, Patience) {
    ("http://127.0.0.1:9", Patience::default())
}

/// AI calls to that provider, with the platform's key.
fn relay(store: &Store, clock: &Arc<HandClock>, (provider, patience): (&str, Patience)) -> Arc<Relay> {
    let key = ProviderKey::parse(PROVIDER_KEY).expect("a key");
    let provider = Provider::new(provider, Some(key)).expect("a provider");
    let clock = Arc::new(TestClock(clock.clone()));
    let (meter, _) = Meter::open(store.clone(), Prices::shipped(), clock, Default::default()).expect("a meter");
    Arc::new(Relay::new(provider, meter, patience))
}

/// The platform's key to the provider: to be found nowhere that a tenant can read.
pub(crate) const PROVIDER_KEY: &str = "sk-canary-of-the-platform";

/// In tests the computers have no addresses of their own, so each request says from which one it comes.
const FROM: &str = "x-from";

async fn inner_door(platform: Platform, end: CancellationToken) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let door = Door::new(platform);
    let answer = move |request: hyper::Request<hyper::body::Incoming>, _| {
        let from = request.headers()[FROM].to_str().expect("text").parse().expect("an address");
        door.clone().answer(request, (std::net::IpAddr::V4(from), 1).into())
    };
    tokio::spawn(listen::serve(listener, listen::Limits::default(), answer, end));
    address
}

async fn answer(stream: &mut (impl AsyncReadExt + Unpin)) -> Answer {
    let mut text = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut text)).await;
    read.expect("an end").expect("read");
    let text = String::from_utf8_lossy(&text).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}
