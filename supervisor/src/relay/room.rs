//! Room for bodies that wait to be sent. All calls share it, and nobody has more than a part: whoever sends large bodies
//! slowly keeps only themselves waiting.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use matrixos_types::UserId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::refused::RelayError;

/// Kilobytes of bodies that wait to be sent, over all calls.
const ALL: usize = 256 << 10;
/// The same for the calls of one person: two of the largest bodies.
const SHARE: u32 = 64 << 10;
/// How long a body waits for room.
const WITHIN: Duration = Duration::from_secs(5);

/// The room of all calls.
pub(super) struct Rooms {
    free: Arc<Semaphore>,
    /// Kilobytes that each person has taken.
    taken: Mutex<HashMap<UserId, u32>>,
}

impl Rooms {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { free: Arc::new(Semaphore::new(ALL)), taken: Mutex::default() })
    }

    /// None yet, for a body of that person.
    pub(super) fn open(self: &Arc<Self>, user: UserId) -> Room {
        Room { rooms: self.clone(), user, bytes: 0, kilobytes: 0, permit: None }
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<UserId, u32>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// False if it would be more than one person's share.
    fn take_of_share(&self, user: UserId, kilobytes: u32) -> bool {
        let mut taken = self.taken();
        let all = taken.get(&user).copied().unwrap_or(0).saturating_add(kilobytes);
        if all > SHARE {
            return false;
        }
        taken.insert(user, all);
        true
    }
}

/// Room that a body takes until the provider has it.
pub struct Room {
    rooms: Arc<Rooms>,
    user: UserId,
    bytes: usize,
    kilobytes: u32,
    permit: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// Takes room for so many bytes more, as they come.
    pub async fn grow(&mut self, bytes: usize) -> Result<(), RelayError> {
        let crowded = RelayError::Crowded { retry_after: WITHIN };
        self.bytes = self.bytes.saturating_add(bytes);
        let needed = u32::try_from(self.bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        let more = needed.saturating_sub(self.kilobytes);
        if more == 0 {
            return Ok(());
        }
        if !self.rooms.take_of_share(self.user, more) {
            return Err(crowded);
        }
        self.kilobytes = needed;
        match timeout(WITHIN, self.rooms.free.clone().acquire_many_owned(more)).await {
            Ok(Ok(permit)) => match &mut self.permit {
                Some(held) => held.merge(permit),
                none => *none = Some(permit),
            },
            _ => return Err(crowded),
        }
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Entry::Occupied(mut taken) = self.rooms.taken().entry(self.user) {
            *taken.get_mut() = taken.get().saturating_sub(self.kilobytes);
            if *taken.get() == 0 {
                taken.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGEST: usize = 32 << 20;

    #[tokio::test(start_paused = true)]
    async fn nobody_takes_more_than_a_share_and_all_together_no_more_than_there_is() {
        let rooms = Rooms::new();
        let alice = UserId::random();
        let mut held = Vec::new();
        for _ in 0..2 {
            let mut room = rooms.open(alice);
            room.grow(LARGEST).await.expect("her share");
            held.push(room);
        }
        let mut third = rooms.open(alice);
        assert!(matches!(third.grow(1).await, Err(RelayError::Crowded { .. })));
        for _ in 0..3 {
            let mut room = rooms.open(UserId::random());
            for _ in 0..2 {
                room.grow(LARGEST).await.expect("each has a share");
            }
            held.push(room);
        }
        let mut late = rooms.open(UserId::random());
        assert!(late.grow(1).await.is_err(), "there is no more for anybody");
        drop((third, late));
        held.clear();
        assert!(rooms.taken().is_empty());
        assert_eq!(rooms.free.available_permits(), ALL);
    }
}
