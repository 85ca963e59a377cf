//! Counting calls, for whoever watches the platform: names and text form of Prometheus.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::refused::RelayError;
use crate::meter::Charge;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Model {
    model: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    model: String,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Cause {
    cause: &'static str,
}

/// What is counted.
pub struct Metrics {
    registry: Registry,
    calls: Family<Model, Counter>,
    tokens: Family<Kind, Counter>,
    cost: Family<Model, Counter<f64, AtomicU64>>,
    refused: Family<Cause, Counter>,
    added: Histogram,
    in_flight: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("matrixos_ai");
        let (calls, tokens, cost) = (Family::default(), Family::default(), Family::default());
        let (refused, in_flight) = (Family::default(), Gauge::default());
        // From an eighth of a millisecond to half a second.
        let added = Histogram::new(exponential_buckets(0.000_125, 2.0, 13));
        registry.register("calls", "AI calls that were paid for", calls.clone());
        registry.register("tokens", "Tokens of AI calls", tokens.clone());
        registry.register("cost_dollars", "What AI calls cost; for watching, the ledger is exact", cost.clone());
        registry.register("refused", "AI calls without an answer, by cause", refused.clone());
        let help = "What the platform adds before the provider is asked";
        registry.register_with_unit("added_latency", help, Unit::Seconds, added.clone());
        registry.register("in_flight", "AI calls under way", in_flight.clone());
        Self { registry, calls, tokens, cost, refused, added, in_flight }
    }
}

impl Metrics {
    /// All of them, as text.
    pub fn text(&self) -> String {
        let mut written = String::new();
        // Writing to a string does not fail.
        let _ = text::encode(&mut written, &self.registry);
        written
    }

    pub(super) fn paid(&self, model: &str, charge: &Charge) {
        let named = Model { model: model.to_owned() };
        self.calls.get_or_create(&named).inc();
        let dollars = Duration::from_nanos(charge.cost.0).as_secs_f64();
        self.cost.get_or_create(&named).inc_by(dollars);
        let used = &charge.tokens;
        let cached = used.write_5m.saturating_add(used.write_1h);
        for (kind, count) in
            [("input", used.input), ("output", used.output), ("cache_write", cached), ("cache_read", used.read)]
        {
            self.tokens.get_or_create(&Kind { model: model.to_owned(), kind }).inc_by(count);
        }
    }

    pub(super) fn refused(&self, error: &RelayError) {
        self.refused.get_or_create(&Cause { cause: error.cause() }).inc();
    }

    pub(super) fn added(&self, time: Duration) {
        self.added.observe(time.as_secs_f64());
    }

    pub(super) fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }
}

/// A call under way.
pub(super) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
