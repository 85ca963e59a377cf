//! A platform with a clock set by hand, and browsers that hold its tokens.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::sync::Arc;
use std::time::SystemTime;

use matrixos_store::{Caller, Store, What};
use matrixos_supervisor::accounts::{Accounts, Fresh, Keys, Offer, Presented, Session, Tokens, Visit};
use matrixos_supervisor::clock::Clock;
use matrixos_testkit::HandClock;
use matrixos_testkit::authenticator::Device;
use matrixos_types::Handle;
use tokio_util::sync::CancellationToken;
use totp_rs::Builder;
use url::Url;

pub(crate) const ORIGIN: &str = "http://localhost:8080";

struct TestClock(Arc<HandClock>);

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
}

pub(crate) struct Platform {
    pub(crate) accounts: Accounts,
    pub(crate) store: Store,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) end: CancellationToken,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) fn platform() -> Platform {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(HandClock::default());
    let store = Store::open(&folder.path().join("store")).expect("a store");
    let keys = Keys::load_or_create(folder.path(), clock.now()).expect("keys");
    let (origin, end) = (Url::parse(ORIGIN).expect("a URL"), CancellationToken::new());
    let accounts = Accounts::new(store.clone(), Arc::new(TestClock(clock.clone())), &origin, keys, end.clone());
    Platform { accounts: accounts.expect("accounts"), store, clock, end, folder }
}

pub(crate) fn handle(text: &str) -> Handle {
    Handle::parse(text).expect("a handle")
}

pub(crate) fn caller() -> Caller {
    at("192.0.2.7")
}

pub(crate) fn at(address: &str) -> Caller {
    Caller { address: Some(address.parse().expect("an address")), browser: Some("Firefox on Linux".to_owned()) }
}

/// What a browser holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl From<Tokens> for Held {
    fn from(tokens: Tokens) -> Self {
        let refresh = tokens.refresh.expect("a new session has one").expose().to_owned();
        Self { access: tokens.access.expose().to_owned(), refresh }
    }
}

impl Held {
    pub(crate) fn presented(&self) -> Presented<'_> {
        Presented { access: Some(&self.access), refresh: Some(&self.refresh) }
    }

    /// As after an hour: only the refresh token is left.
    pub(crate) fn old(&self) -> Presented<'_> {
        Presented { access: None, refresh: Some(&self.refresh) }
    }

    fn keep(&mut self, tokens: Tokens) {
        self.access = tokens.access.expose().to_owned();
        if let Some(refresh) = tokens.refresh {
            self.refresh = refresh.expose().to_owned();
        }
    }
}

impl Platform {
    pub(crate) async fn sign_up(&self, device: &mut Device, name: &str) -> Held {
        let started = self.accounts.start_sign_up(name).expect("available");
        let answer = device.register(&started.options).expect("registered");
        let ceremony = started.ceremony.expose();
        let arrival = self.accounts.finish_sign_up(ceremony, &answer, false, &caller()).await.expect("signed up");
        assert_eq!(arrival.user.handle, handle(name));
        arrival.tokens.into()
    }

    pub(crate) async fn sign_in(&self, device: &mut Device) -> Held {
        let started = self.accounts.start_login().expect("started");
        let answer = device.sign_in(&started.options).expect("signed");
        let ceremony = started.ceremony.expose();
        self.accounts.finish_login(ceremony, &answer, &caller()).await.expect("signed in").tokens.into()
    }

    /// Who is signed in with what a browser holds, without renewing it.
    pub(crate) async fn session(&self, held: &Held) -> Option<Session> {
        let presented = Presented { access: Some(&held.access), refresh: None };
        self.accounts.session(presented, &caller()).await.expect("store").map(|admitted| admitted.as_)
    }

    /// One request of a browser: it keeps what it is given.
    pub(crate) async fn ask(&self, held: &mut Held) -> Option<Session> {
        let admitted = self.accounts.session(held.presented(), &caller()).await.expect("store")?;
        admitted.renewed.into_iter().for_each(|tokens| held.keep(tokens));
        Some(admitted.as_)
    }

    pub(crate) async fn visit(&self, held: &Held, name: &str) -> Option<Visit> {
        let presented = Presented { access: Some(&held.access), refresh: None };
        self.accounts.visit(&handle(name), presented, &caller()).await.expect("store").map(|admitted| admitted.as_)
    }

    pub(crate) async fn fresh(&self, held: &Held) -> Fresh {
        self.accounts.fresh(self.session(held).await.expect("signed in")).expect("fresh")
    }

    /// What happened to somebody, newest first.
    pub(crate) async fn happened(&self, held: &Held) -> Vec<What> {
        let session = self.session(held).await.expect("signed in");
        self.accounts.events(&session, u64::MAX, 100).expect("store").into_iter().map(|e| e.what).collect()
    }
}

/// What a person's app shows at a time.
pub(crate) fn shown(offer: &Offer, time: SystemTime) -> String {
    let secret = totp_rs::Secret::try_from_base32(offer.secret.expose()).expect("Base32");
    let totp = Builder::new().with_secret(secret).build().expect("a secret of 160 bits");
    totp.generate(time.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs()).to_string()
}
