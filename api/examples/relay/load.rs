//! Who calls, and how long it took.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::MissedTickBehavior;

use crate::Failure;
use crate::door::FROM;

/// As large as a short conversation.
const WORDS: usize = 400;

/// Who calls: from an address, with a credential.
#[derive(Clone)]
pub(crate) struct Guest {
    from: String,
    credential: String,
}

impl Guest {
    pub(crate) fn new(from: &str, credential: &str) -> Self {
        Self { from: from.to_owned(), credential: credential.to_owned() }
    }

    /// For those who ask nobody's name.
    pub(crate) fn nobody() -> Vec<Self> {
        vec![Self::new("127.0.0.1", "nobody")]
    }
}

/// A way to the provider.
pub(crate) struct Path {
    pub(crate) name: &'static str,
    address: SocketAddr,
    guests: Vec<Guest>,
    next: AtomicUsize,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Path {
    pub(crate) fn new(name: &'static str, address: SocketAddr, guests: Vec<Guest>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self { name, address, guests, next: AtomicUsize::new(0), client }
    }

    /// Calls at a steady rate, whether or not earlier ones have ended.
    pub(crate) async fn steadily(&self, rate: u32, time: Duration) -> Result<Vec<Duration>, Failure> {
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let (begun, mut calls) = (Instant::now(), Vec::new());
        while begun.elapsed() < time {
            ticks.tick().await;
            let (client, request) = (self.client.clone(), self.request(false, "Good morning.")?);
            calls.push(tokio::spawn(async move {
                let begun = Instant::now();
                fine(client.request(request).await?)?.into_body().collect().await?;
                Ok::<_, Failure>(begun.elapsed())
            }));
        }
        let mut times = Vec::with_capacity(calls.len());
        for call in calls {
            times.push(call.await??);
        }
        Ok(times)
    }

    /// How long the first byte of a stream takes; the rest is read, and not counted.
    pub(crate) async fn first_byte(&self) -> Result<Duration, Failure> {
        let request = self.request(true, "Good morning.")?;
        let begun = Instant::now();
        let mut body = fine(self.client.request(request).await?)?.into_body();
        body.frame().await.ok_or("an empty stream")??;
        let time = begun.elapsed();
        body.collect().await?;
        Ok(time)
    }

    /// Lets so many streams flow at once; the most that `look` sees meanwhile.
    pub(crate) async fn streams(&self, count: usize, look: impl Fn() -> Result<u64, Failure>) -> Result<u64, Failure> {
        let mut streams = tokio::task::JoinSet::new();
        for _ in 0..count {
            let (client, request) = (self.client.clone(), self.request(true, "slowly")?);
            streams.spawn(async move {
                let body = fine(client.request(request).await?)?.into_body().collect().await?.to_bytes();
                if body.ends_with(b"\"message_stop\"}\n\n") { Ok::<_, Failure>(()) } else { Err("cut short".into()) }
            });
        }
        let mut most = 0;
        while !streams.is_empty() {
            most = most.max(look()?);
            let ended = tokio::time::timeout(Duration::from_millis(100), streams.join_next()).await;
            if let Ok(Some(stream)) = ended {
                stream??;
            }
        }
        Ok(most)
    }

    /// Each call is the next person's.
    fn request(&self, stream: bool, text: &str) -> Result<Request<Full<Bytes>>, Failure> {
        let guest = &self.guests[self.next.fetch_add(1, Ordering::Relaxed) % self.guests.len()];
        let text = format!("{text} {}", "word ".repeat(WORDS));
        let body = format!(
            r#"{{"model":"claude-sonnet-5-5","max_tokens":1000,"stream":{stream},"messages":[{{"role":"user","content":"{text}"}}]}}"#
        );
        let request = Request::post(format!("http://{}/v1/messages", self.address))
            .header("content-type", "application/json")
            .header("content-length", body.len())
            .header("authorization", format!("Bearer {}", guest.credential))
            .header(FROM, &guest.from);
        Ok(request.body(Full::from(body))?)
    }
}

fn fine(response: Response<Incoming>) -> Result<Response<Incoming>, Failure> {
    if response.status().is_success() { Ok(response) } else { Err(format!("answered {}", response.status()).into()) }
}

/// The quantiles of each way, and what the last adds to the one before it.
pub(crate) fn report(what: &str, paths: &[&Path], times: &mut [Vec<Duration>]) {
    let mut quantiles = Vec::new();
    for (path, times) in paths.iter().zip(times) {
        times.sort_unstable();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
        println!(
            "{what}, {:<13} p50 {:.3} ms   p90 {:.3} ms   p99 {:.3} ms   n {}",
            path.name,
            at(0.5),
            at(0.9),
            at(0.99),
            times.len()
        );
        quantiles.push([at(0.5), at(0.9), at(0.99)]);
    }
    if let [.., plain, ours] = &quantiles[..] {
        let added = |n: usize| ours[n] - plain[n];
        println!("{what}, added         p50 {:+.3} ms   p90 {:+.3} ms   p99 {:+.3} ms", added(0), added(1), added(2));
    }
}
