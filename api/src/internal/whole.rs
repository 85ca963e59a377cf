//! The whole body of a call, taken piece by piece while there is room for it and patience with its sender.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::StatusCode;
use futures_util::StreamExt;
use hyper::body::Bytes;
use matrixos_supervisor::relay::Room;
use tokio::time::timeout;

use super::error::Refusal;

/// Largest body of a call, in bytes: the provider's own limit.
const LARGEST: usize = 32 << 20;

/// Takes a body, if all of it comes within that time.
pub(super) async fn whole(body: Body, within: Duration, room: &mut Room) -> Result<Bytes, Refusal> {
    if body.size_hint().lower() > LARGEST as u64 {
        return Err(too_large());
    }
    timeout(within, pieces(body, room)).await.map_err(|_| too_slow())?
}

async fn pieces(body: Body, room: &mut Room) -> Result<Bytes, Refusal> {
    let mut stream = body.into_data_stream();
    let mut whole = Vec::new();
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|_| Refusal::invalid("the body did not come whole"))?;
        if whole.len() + piece.len() > LARGEST {
            return Err(too_large());
        }
        room.grow(piece.len()).await?;
        whole.extend_from_slice(&piece);
    }
    Ok(whole.into())
}

fn too_large() -> Refusal {
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "request_too_large", "the body of a call has at most 32 MB")
}

fn too_slow() -> Refusal {
    Refusal::new(StatusCode::REQUEST_TIMEOUT, "timeout_error", "the body did not come whole in time")
}
