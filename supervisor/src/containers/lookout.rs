//! What the kernel does to a running computer, noticed while it runs, in words for its owner.

use std::time::Duration;

use super::Computer;

/// How often a running computer is looked at.
pub(super) const EVERY: Duration = Duration::from_secs(5);

/// What had been counted at the latest look.
#[derive(Debug, Default)]
pub(super) struct Lookout {
    oom_kills: u64,
}

impl Lookout {
    /// Begins with what is counted now: what happened before is no news.
    pub(super) fn begin(computer: &Computer) -> Self {
        Self { oom_kills: computer.usage().map_or(0, |usage| usage.oom_kills) }
    }

    /// What has happened since the latest look, if anything.
    pub(super) fn look(&mut self, computer: &Computer) -> Option<String> {
        let counted = computer.usage().ok()?.oom_kills;
        let new = counted.saturating_sub(self.oom_kills);
        self.oom_kills = counted;
        match new {
            0 => None,
            1 => Some(format!(
                "A program was ended: this computer had used up its {} of memory. Your files are safe.",
                computer.limits.memory
            )),
            n => Some(format!(
                "{n} programs were ended: this computer had used up its {} of memory. Your files are safe.",
                computer.limits.memory
            )),
        }
    }
}
