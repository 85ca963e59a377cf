//! The account of one call: money on hold, what the answer has used by now, and that its computer is busy meanwhile.

use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, HeaderName, HeaderValue};
use matrixos_types::{ContainerId, UserId};
use tracing::{error, info};

use super::asked::Asked;
use super::key::ProviderKey;
use super::metrics::Metrics;
use crate::containers::{Activity, Visit};
use crate::meter::{Call, Charge, Charging, Meter, Refused, Reservation, UsageReader};

/// What remains of the budget, told with every answer: `$4.31`.
const REMAINING: HeaderName = HeaderName::from_static("x-matrix-budget-remaining");

/// Who calls.
#[derive(Debug)]
pub struct Caller {
    /// Whose money it is.
    pub user: UserId,
    /// The container that calls.
    pub container: ContainerId,
    /// The person's own key, if they gave one: then it is their own money.
    pub own_key: Option<ProviderKey>,
    /// Held until the call ends: a computer whose AI thinks is not idle.
    pub busy: Option<(Visit, Arc<Activity>)>,
}

/// The account of one call.
pub(super) struct Account {
    /// What the answer has used by now.
    pub(super) reader: UsageReader,
    caller: Caller,
    /// None once it is paid.
    reservation: Option<Reservation>,
    /// The charge, as long as nobody has waited for it.
    charging: Option<Charging>,
    metrics: Arc<Metrics>,
    model: String,
    stream: bool,
    begun: Instant,
}

impl Account {
    /// Puts money on hold; on the disk when this returns. `counted` are the tokens of the prompt, if they are known.
    pub(super) async fn open(
        meter: &Meter,
        metrics: &Arc<Metrics>,
        caller: Caller,
        asked: &Asked,
        counted: Option<u64>,
    ) -> Result<Self, (Caller, Refused)> {
        let call = Call {
            model: asked.model.clone(),
            bytes: asked.bytes as u64,
            counted,
            max_tokens: asked.max_tokens,
            stream: asked.stream,
            speed: asked.speed(),
            geo: asked.inference_geo(),
            hour: asked.caches_for_an_hour(),
            own_key: caller.own_key.is_some(),
        };
        let reservation = match meter.reserve(caller.user, &caller.container, &call).await {
            Ok(reservation) => reservation,
            Err(refused) => return Err((caller, refused)),
        };
        Ok(Self {
            reader: UsageReader::default(),
            model: reservation.model().to_owned(),
            reservation: Some(reservation),
            caller,
            charging: None,
            metrics: metrics.clone(),
            stream: asked.stream,
            begun: Instant::now(),
        })
    }

    /// Whether the answer comes as a stream.
    pub(super) fn streams(&self) -> bool {
        self.stream
    }

    /// Whether the person's own key pays.
    pub(super) fn is_own(&self) -> bool {
        self.caller.own_key.is_some()
    }

    /// The most tokens that the answer may have.
    pub(super) fn max_tokens(&self) -> u64 {
        self.reservation.as_ref().map_or(0, Reservation::max_tokens)
    }

    /// Something of the answer came: its computer is used.
    pub(super) fn touch(&self) {
        if let Some((_, activity)) = &self.caller.busy {
            activity.touch();
        }
    }

    /// Puts more money on hold if the answer needs it. False if there is no more.
    pub(super) async fn extend(&mut self) -> bool {
        match &mut self.reservation {
            Some(reservation) if !reservation.covers(&self.reader) => reservation.extend(&self.reader).await.is_ok(),
            _ => true,
        }
    }

    /// Pays for what came of the answer. Whoever asks from now on sees it; on the disk it is after [`Self::settle`].
    pub(super) fn pay(&mut self) {
        if let Some(reservation) = self.reservation.take() {
            self.charging = Some(reservation.charge(&self.reader.progress()));
        }
    }

    /// Pays, if that is not done; on the disk when this returns.
    pub(super) async fn settle(&mut self) {
        self.pay();
        let Some(charging) = self.charging.take() else { return };
        match charging.written().await {
            Ok(charge) => self.log(&charge),
            // The lease stays, and is charged when the store can be written again.
            Err(error) => error!(%error, container = %self.caller.container, "a call could not be written down"),
        }
    }

    /// Gives back what was on hold for a call that cost nothing.
    pub(super) async fn give_back(&mut self) {
        let Some(reservation) = self.reservation.take() else { return };
        if let Err(error) = reservation.release().await {
            error!(%error, container = %self.caller.container, "money on hold could not be given back");
        }
    }

    /// Says what remains, in the header of an answer: after this call if it is paid for, before it otherwise.
    pub(super) fn tell_remaining(&self, headers: &mut HeaderMap) {
        if self.is_own() {
            return;
        }
        let remaining = match (&self.charging, &self.reservation) {
            (Some(charging), _) => charging.remaining(),
            (None, Some(reservation)) => reservation.free(),
            (None, None) => return,
        };
        if let Ok(value) = HeaderValue::from_str(&remaining.to_string()) {
            headers.insert(REMAINING, value);
        }
    }

    /// One line for each call, without any of its content.
    fn log(&self, charge: &Charge) {
        self.metrics.paid(&self.model, charge);
        let tokens = &charge.tokens;
        info!(
            container = %self.caller.container,
            model = %self.model,
            input = tokens.input,
            output = tokens.output,
            cache_write = tokens.write_5m.saturating_add(tokens.write_1h),
            cache_read = tokens.read,
            cost = %charge.cost.exact(),
            known = charge.how.as_str(),
            own_key = self.is_own(),
            stream = self.stream,
            millis = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            "AI call"
        );
    }
}
