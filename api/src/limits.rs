//! How often one address may ask. By address only: a limit by account would let a stranger lock its owner out.

use std::net::IpAddr;
use std::num::NonZeroU32;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::caller::Client;
use crate::error::ApiError;
use crate::internal::too_many;
use crate::platform::Platform;
use crate::routes::Rate;

const LOOK_UPS_A_MINUTE: u32 = 240;
const CEREMONIES_A_MINUTE: u32 = 60;
/// When to try again, in seconds.
const PAUSE: u64 = 10;

/// A bucket per address and class.
pub(crate) struct Rates {
    look_ups: DefaultKeyedRateLimiter<IpAddr>,
    ceremonies: DefaultKeyedRateLimiter<IpAddr>,
}

impl Default for Rates {
    fn default() -> Self {
        let a_minute = |n| RateLimiter::keyed(Quota::per_minute(NonZeroU32::new(n).expect("not zero")));
        Self { look_ups: a_minute(LOOK_UPS_A_MINUTE), ceremonies: a_minute(CEREMONIES_A_MINUTE) }
    }
}

impl Rates {
    fn admits(&self, rate: Rate, peer: IpAddr) -> bool {
        match rate {
            Rate::Free => true,
            Rate::LookUp => self.look_ups.check_key(&network(peer)).is_ok(),
            Rate::Ceremony => self.ceremonies.check_key(&network(peer)).is_ok(),
        }
    }

    /// Forgets addresses that have not asked for a while.
    pub(crate) fn tidy(&self) {
        self.look_ups.retain_recent();
        self.ceremonies.retain_recent();
    }
}

/// One subscriber of IPv6 has a /64 at least.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

/// Refuses a request whose address has asked too often.
pub(crate) async fn keep(State((platform, rate)): State<(Platform, Rate)>, request: Request, next: Next) -> Response {
    if is_admitted(&platform, rate, &request) {
        return next.run(request).await;
    }
    let message = "Too many requests from your address. Please wait a moment, then try again.";
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message).retry_after(PAUSE).into_response()
}

/// The same for computers, in the shape that their programs know.
pub(crate) async fn keep_computers(
    State((platform, rate)): State<(Platform, Rate)>,
    request: Request,
    next: Next,
) -> Response {
    if is_admitted(&platform, rate, &request) { next.run(request).await } else { too_many(PAUSE) }
}

fn is_admitted(platform: &Platform, rate: Rate, request: &Request) -> bool {
    let peer = request.extensions().get::<Client>().map(|client| client.0);
    peer.is_none_or(|peer| platform.rates.admits(rate, peer))
}
