//! Who this computer and its AI are.

use axum::Json;
use axum::extract::State;
use matrixos_types::computer::Identity;

use crate::state::Gateway;

pub(crate) async fn identity(State(gateway): State<Gateway>) -> Json<Identity> {
    let handle = gateway.settings.handle.clone();
    Json(Identity { ai_handle: format!("{handle}_ai"), handle, domain: gateway.settings.domain.clone() })
}
