//! What the owner should know about their computer: told by the platform, which sees what the kernel does to it from
//! outside, or seen from here.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use matrixos_types::computer::{Measure, Notice, NoticeBody};

use crate::error::Failure;
use crate::state::Gateway;
use crate::system;

/// How many are remembered; the oldest goes first.
const KEPT: usize = 20;
/// Longest text, in characters.
const LONGEST: usize = 500;
/// From this part of the disk on, the owner is warned.
const DISK_PERCENT: u64 = 95;

/// The notices that were told.
#[derive(Default)]
pub(crate) struct Notices(Mutex<VecDeque<Notice>>);

impl Notices {
    pub(crate) fn add(&self, text: String) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = all.back().and_then(|last| last.id.parse::<u64>().ok()).map_or(1, |id| id + 1);
        all.push_back(Notice { id: next.to_string(), at: now(), text });
        if all.len() > KEPT {
            all.pop_front();
        }
    }

    fn all(&self) -> Vec<Notice> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) async fn list(State(gateway): State<Gateway>) -> Json<Vec<Notice>> {
    // What is so stands before what happened.
    let disk = disk(&system::disk_share(&gateway.settings));
    Json(disk.into_iter().chain(gateway.notices.all()).collect())
}

pub(crate) async fn add(State(gateway): State<Gateway>, Json(body): Json<NoticeBody>) -> Result<StatusCode, Failure> {
    let text: String = body.text.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    if text.trim().is_empty() {
        return Err(Failure::bad_request("A notice needs a text."));
    }
    gateway.notices.add(text);
    Ok(StatusCode::NO_CONTENT)
}

/// Warns before the disk is full, and says so when it is.
fn disk(share: &Option<Measure>) -> Option<Notice> {
    let (used, limit) = share.and_then(|s| Some((s.used?, s.limit?)))?;
    let percent = (used * 100).checked_div(limit)?;
    let text = match percent {
        0..DISK_PERCENT => return None,
        DISK_PERCENT..99 => format!("Your disk is almost full: {percent} % is used. Delete what you no longer need."),
        _ => "Your disk is full. Programs cannot save anything until you delete something.".to_owned(),
    };
    Some(Notice { id: format!("disk-{}", percent.min(99)), at: now(), text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_is_warned_before_the_disk_is_full_and_told_when_it_is() {
        let at = |used, limit| disk(&Some(Measure { used: Some(used), limit: Some(limit) })).map(|n| n.text);
        assert_eq!(at(94, 100), None);
        assert!(at(95, 100).expect("a notice").contains("almost full: 95 %"));
        assert!(at(1_000, 1_000).expect("a notice").starts_with("Your disk is full"));
        assert_eq!(at(5, 0), None);
        assert_eq!(disk(&None), None);
    }

    #[test]
    fn notices_are_bounded_and_keep_their_ids() {
        let notices = Notices::default();
        (0..30).for_each(|n| notices.add(format!("news {n}")));
        let all = notices.all();
        assert_eq!((all.len(), all[0].id.as_str(), all[19].text.as_str()), (KEPT, "11", "news 29"));
    }
}
