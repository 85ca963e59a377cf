//! What a computer says about its channels, what it has to say on them, and how they stand.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use matrixos_supervisor::channels::{SendError, SetError};
use matrixos_supervisor::store::{LETTER, MailError};
use matrixos_types::channels::{ChannelsBody, ChannelsStatus, SendBody};

use super::error::Refusal;
use super::evidence::{Inside, Sent};
use crate::platform::Platform;

/// `PUT /matrix/channels`: everything that is set.
pub(super) async fn set(
    State(platform): State<Platform>,
    Inside(resident): Inside,
    Sent(body): Sent<ChannelsBody>,
) -> Result<StatusCode, Refusal> {
    platform.channels.set(resident.owner(), &body).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /matrix/channels/status`.
pub(super) async fn status(
    State(platform): State<Platform>,
    Inside(resident): Inside,
) -> Result<Json<ChannelsStatus>, Refusal> {
    Ok(Json(platform.channels.status(resident.owner())?))
}

/// `POST /matrix/send`: answered when the text is safe, not when it has arrived.
pub(super) async fn send(
    State(platform): State<Platform>,
    Inside(resident): Inside,
    Sent(body): Sent<SendBody>,
) -> Result<StatusCode, Refusal> {
    if body.text.len() > LETTER {
        return Err(Refusal::invalid(format!("text: at most {LETTER} bytes are sent at once")));
    }
    platform.channels.send(resident.owner(), &body).await?;
    Ok(StatusCode::ACCEPTED)
}

impl From<SetError> for Refusal {
    fn from(error: SetError) -> Self {
        match error {
            SetError::Malformed(why) => Self::invalid(why),
            SetError::Store(error) => error.into(),
        }
    }
}

impl From<SendError> for Refusal {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Mail(MailError::Store(error)) => error.into(),
            SendError::Mail(MailError::Full(_)) => {
                let message = format!("{error}; they are sent as soon as the channel takes them");
                Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", message).retry_after(60)
            }
            other => Self::invalid(other.to_string()),
        }
    }
}
