//! People with bots, a scripted Telegram, and computers that answer what they are told.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use matrixos_store::{FirstFactor, NewAccount, Store};
use matrixos_supervisor::accounts::Keys;
use matrixos_supervisor::channels::{ChannelKeys, Channels, Computers, Settings, Unanswered};
use matrixos_supervisor::clock::SystemClock;
use matrixos_telegram::Scripted;
use matrixos_types::channels::{ChannelBody, ChannelStatus, ChannelsBody};
use matrixos_types::kernel::MessageBody;
use matrixos_types::{Handle, UserId};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

pub(crate) const BOT: &str = "111111:AAalices-canary-token";
pub(crate) const OTHER: &str = "222222:AAbobbys-canary-token";
/// Long, because the machine may be loaded: what is waited for comes within a second otherwise.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct House {
    pub(crate) store: Store,
    pub(crate) telegram: Scripted,
    pub(crate) computers: Arc<Pretended>,
    settings: Settings,
    channels: Option<Arc<Channels>>,
    end: CancellationToken,
    people: HashMap<String, UserId>,
    folder: tempfile::TempDir,
}

/// Computers that repeat what they hear, unless they were told to do something else first.
pub(crate) struct Pretended {
    people: HashMap<UserId, String>,
    heard: Mutex<Vec<(String, MessageBody)>>,
    next: Mutex<HashMap<String, VecDeque<Result<String, Unanswered>>>>,
    held: watch::Sender<Option<String>>,
}

impl Pretended {
    /// What a computer does with the next message.
    pub(crate) fn next(&self, who: &str, what: Result<String, Unanswered>) {
        self.next.lock().expect("no panic").entry(who.to_owned()).or_default().push_back(what);
    }

    pub(crate) fn heard(&self, who: &str) -> Vec<MessageBody> {
        let heard = self.heard.lock().expect("no panic");
        heard.iter().filter(|(whose, _)| whose == who).map(|(_, message)| message.clone()).collect()
    }

    /// Lets somebody's computer hear nothing until it is released.
    pub(crate) fn hold(&self, who: &str) {
        self.held.send_replace(Some(who.to_owned()));
    }

    pub(crate) fn release(&self) {
        self.held.send_replace(None);
    }

    async fn answer(&self, user: UserId, message: &MessageBody) -> Result<String, Unanswered> {
        let who = self.people.get(&user).expect("somebody known").clone();
        let _ = self.held.subscribe().wait_for(|held| held.as_ref() != Some(&who)).await;
        self.heard.lock().expect("no panic").push((who.clone(), message.clone()));
        let next = self.next.lock().expect("no panic").get_mut(&who).and_then(VecDeque::pop_front);
        next.unwrap_or_else(|| Ok(format!("You said: {}", message.text)))
    }
}

impl Computers for Pretended {
    fn ask<'a>(
        &'a self,
        user: UserId,
        message: &'a MessageBody,
    ) -> Pin<Box<dyn Future<Output = Result<String, Unanswered>> + Send + 'a>> {
        Box::pin(self.answer(user, message))
    }
}

pub(crate) fn settings(token: &str, owners: &[&str]) -> ChannelsBody {
    let owners = owners.iter().map(|&owner| owner.to_owned()).collect();
    ChannelsBody { telegram: Some(ChannelBody { enabled: true, token: token.to_owned(), owners }) }
}

pub(crate) fn person(store: &Store, handle: &str) -> UserId {
    let id = UserId::random();
    let factor = FirstFactor::Passkey { id: id.0.simple().to_string(), passkey: serde_json::Value::Null };
    let handle = Handle::parse(handle).expect("a handle");
    store.create_account(&NewAccount { id, handle, created: 1, feed: false, factor }).expect("made").id
}

impl House {
    pub(crate) async fn open(handles: &[&str]) -> Self {
        let telegram = Scripted::start().await.expect("Telegram");
        let settings = Settings { telegram_api: telegram.base_url(), telegram_webhook: None };
        Self::with(handles, telegram, settings).await
    }

    /// A house that Telegram brings its messages to.
    pub(crate) async fn brought(handles: &[&str], telegram: Scripted, origin: &str) -> Self {
        let settings = Settings { telegram_api: telegram.base_url(), telegram_webhook: Some(origin.to_owned()) };
        Self::with(handles, telegram, settings).await
    }

    async fn with(handles: &[&str], telegram: Scripted, settings: Settings) -> Self {
        [BOT, OTHER].iter().for_each(|token| telegram.add_bot(token));
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("store")).expect("a store");
        let people: HashMap<_, _> =
            handles.iter().map(|handle| ((*handle).to_owned(), person(&store, handle))).collect();
        let names = people.iter().map(|(name, id)| (*id, name.clone())).collect();
        let held = watch::Sender::new(None);
        let computers = Pretended { people: names, heard: Mutex::default(), next: Mutex::default(), held };
        let (computers, end) = (Arc::new(computers), CancellationToken::new());
        let mut house = Self { store, telegram, computers, settings, channels: None, end, people, folder };
        house.begin("keys");
        house
    }

    fn begin(&mut self, keys: &str) {
        let folder = self.folder.path().join(keys);
        std::fs::create_dir_all(&folder).expect("a folder");
        let keys = ChannelKeys::of(&Keys::load_or_create(&folder, SystemTime::now()).expect("keys"));
        self.end = CancellationToken::new();
        let opened = Channels::open(
            self.store.clone(),
            self.computers.clone(),
            Arc::new(SystemClock),
            &keys,
            &self.settings,
            self.end.clone(),
        );
        self.channels = Some(opened.expect("opened"));
    }

    pub(crate) async fn restart_with_other_keys(&mut self) {
        self.end.cancel();
        self.begin("other keys");
    }

    pub(crate) fn channels(&self) -> &Channels {
        self.channels.as_deref().expect("they are open")
    }

    pub(crate) fn user(&self, who: &str) -> UserId {
        self.people[who]
    }

    pub(crate) async fn connect(&self, who: &str, token: &str, owners: &[&str]) {
        self.channels().set(self.user(who), &settings(token, owners)).await.expect("set");
    }

    pub(crate) fn status(&self, who: &str) -> ChannelStatus {
        self.channels().status(self.user(who)).expect("readable")["telegram"].clone()
    }

    pub(crate) async fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !holds() {
            let (texts, stands) = (self.telegram.texts(BOT), self.people.keys().map(|who| self.status(who)));
            assert!(begun.elapsed() < PATIENCE, "in vain: {what}; {texts:?} {:?}", stands.collect::<Vec<_>>());
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Nothing waits any more, in either direction.
    pub(crate) async fn quiet(&self, who: &str) {
        self.until("nothing waits", || {
            let status = self.status(who);
            (status.waiting, status.unsent) == (0, 0)
        })
        .await;
    }

    /// No poll comes any more, and none is open: a new one of the test's own gets what is there.
    pub(crate) async fn stopped_polling(&self, token: &str) {
        let polls = || self.telegram.count("getUpdates");
        let mut before = polls();
        let mut still = Instant::now();
        let begun = Instant::now();
        while still.elapsed() < Duration::from_millis(1_500) {
            assert!(begun.elapsed() < PATIENCE, "it goes on polling");
            sleep(Duration::from_millis(50)).await;
            if polls() != before {
                (before, still) = (polls(), Instant::now());
            }
        }
        assert!(self.telegram.pending(token) > 0, "what was written meanwhile is still there");
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.end.cancel();
    }
}
