//! A person whose computer makes AI calls, to a scripted provider.

use std::time::Duration;

use matrixos_messages::Scripted;
use matrixos_supervisor::relay::Patience;
use matrixos_supervisor::store::{Row, User};
use matrixos_testkit::authenticator::Device;
use matrixos_types::{Handle, Nanos};
use serde_json::{Value, json};

use super::{Answer, House, PROVIDER_KEY};

pub(crate) const SONNET: &str = "claude-sonnet-5-5";

pub(crate) struct World {
    pub(crate) house: House,
    pub(crate) provider: Scripted,
    pub(crate) cookie: String,
    pub(crate) address: String,
    pub(crate) credential: String,
    pub(crate) user: User,
}

impl World {
    pub(crate) async fn open() -> Self {
        Self::with(Patience::default()).await
    }

    /// A platform that waits so long.
    pub(crate) async fn with(patience: Patience) -> Self {
        let provider = Scripted::start().await.expect("a provider");
        provider.require_key(PROVIDER_KEY);
        let house = House::with_provider(&provider.base_url(), patience).await;
        let cookie = house.sign_up("alice", &mut Device::at(&house.origin)).await;
        let (address, credential) = house.resident("alice");
        let handle = Handle::parse("alice").expect("a handle");
        let user = house.store.user_by_handle(&handle).expect("the store").expect("an account");
        Self { house, provider, cookie, address, credential, user }
    }

    pub(crate) async fn with_budget(nanos: u64) -> Self {
        let world = Self::open().await;
        world.house.relay.meter().set_quota(world.user.id, Some(Nanos(nanos))).await.expect("written");
        world
    }

    pub(crate) async fn asks(&self, method: &str, path: &str, fields: &str, body: &str) -> Answer {
        let fields = format!("authorization: Bearer {}\r\n{fields}", self.credential);
        self.house.inside(&self.address, method, path, &fields, body).await
    }

    pub(crate) async fn calls(&self, body: &Value) -> Answer {
        self.asks("POST", "/v1/messages", "anthropic-version: 2026-10-21\r\n", &body.to_string()).await
    }

    pub(crate) fn ledger(&self) -> Vec<Row> {
        self.house.store.ledger(self.user.id, 0).collect::<Result<_, _>>().expect("rows")
    }

    /// The row that a call leaves, once it is there: whoever has gone is not waited for.
    pub(crate) async fn row(&self, number: usize) -> Row {
        for _ in 0..3_000 {
            if let Some(row) = self.ledger().into_iter().nth(number) {
                return row;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the call was never paid for");
    }

    /// Nothing on hold, nothing in flight, and the ledger's sum is the balance.
    pub(crate) async fn is_settled(&self) {
        let standing = || self.house.relay.meter().standing(self.user.id).expect("a standing");
        for _ in 0..3_000 {
            if standing().in_flight == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.house.relay.meter().catch_up(self.user.id).await.expect("written");
        let sum: Nanos = self.ledger().iter().map(|row| row.call.cost).sum();
        assert_eq!((standing().held, standing().spent, standing().in_flight), (Nanos::ZERO, sum, 0));
    }
}

/// Lets what hangs at the provider go on, once it is time, until all of it is through.
pub(crate) async fn release_when(world: &World, is_time: impl Fn() -> bool, is_over: impl Fn() -> bool) {
    while !is_over() {
        if is_time() {
            world.provider.release();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) fn message(model: &str, text: &str, stream: bool) -> Value {
    let messages = json!([{ "role": "user", "content": text }]);
    json!({ "model": model, "max_tokens": 4_096, "stream": stream, "messages": messages })
}

pub(crate) fn kind(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["error"]["type"].as_str().unwrap_or_default().to_owned())
}
