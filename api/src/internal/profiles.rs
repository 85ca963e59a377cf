//! What a computer says about its owner and its AI, so that it can be read while the computer sleeps.

use axum::extract::State;
use axum::http::StatusCode;
use matrixos_types::channels::{PROFILE, ProfilesBody};

use super::error::Refusal;
use super::evidence::{Inside, Sent};
use crate::platform::Platform;

/// `PUT /matrix/profiles`.
pub(super) async fn set(
    State(platform): State<Platform>,
    Inside(resident): Inside,
    Sent(body): Sent<ProfilesBody>,
) -> Result<StatusCode, Refusal> {
    if body.profile.len() > PROFILE || body.ai_profile.len() > PROFILE {
        return Err(Refusal::invalid(format!("a profile has at most {PROFILE} bytes")));
    }
    platform.channels.set_profile(resident.owner(), body.profile, body.ai_profile).await?;
    Ok(StatusCode::NO_CONTENT)
}
