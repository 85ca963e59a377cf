//! When a refresh token renews a session, and when its use says that somebody has a copy of it. Pure.

use matrixos_store::{Refresh, TokenHash};

/// For this long a token that was just replaced still works, in seconds: a browser may have sent it several times at
/// once, or not have received the answer.
pub(super) const GRACE: u64 = 10;
/// Tokens that may be good at the same time, all of them children of the same ones.
pub(super) const SIBLINGS: usize = 8;

/// What the use of a token means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// The new token takes its place.
    Renewed,
    /// The session goes on; there are enough newer tokens already.
    Known,
    /// It had been replaced before: two hold it, and nobody can tell which is the owner.
    Reused,
}

/// Uses a token that was made for this session; `fresh` is the one that would replace it.
pub(super) fn present(refresh: &mut Refresh, presented: TokenHash, fresh: TokenHash, now: u64) -> Use {
    if refresh.live.contains(&presented) {
        refresh.parents = std::mem::replace(&mut refresh.live, vec![fresh]);
        refresh.rotated = now;
        return Use::Renewed;
    }
    // The clock may have been set back since.
    let in_time = now.abs_diff(refresh.rotated) <= GRACE;
    if !refresh.parents.contains(&presented) || !in_time {
        return Use::Reused;
    }
    if refresh.live.len() >= SIBLINGS {
        return Use::Known;
    }
    refresh.live.push(fresh);
    Use::Renewed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(n: u8) -> TokenHash {
        TokenHash([n; 32])
    }

    fn begun() -> Refresh {
        Refresh { live: vec![token(0)], ..Refresh::default() }
    }

    #[test]
    fn a_token_works_once_and_its_parent_for_a_few_seconds_more() {
        let mut refresh = begun();
        assert_eq!(present(&mut refresh, token(0), token(1), 100), Use::Renewed);
        assert_eq!(present(&mut refresh.clone(), token(0), token(2), 100 + GRACE + 1), Use::Reused);
        assert_eq!(present(&mut refresh, token(0), token(2), 100 + GRACE), Use::Renewed, "a second tab");
        assert_eq!(present(&mut refresh, token(1), token(3), 3_700), Use::Renewed, "whichever the browser kept");
        assert_eq!(present(&mut refresh.clone(), token(0), token(4), 3_700), Use::Reused, "not the grandparent");
        assert_eq!(present(&mut refresh, token(2), token(4), 3_800), Use::Reused, "a sibling of one that was used");
    }

    #[test]
    fn however_often_a_browser_asks_at_once_it_stays_signed_in_and_little_is_kept() {
        let mut refresh = begun();
        let uses: Vec<_> = (1..40).map(|n| present(&mut refresh, token(0), token(n), 100)).collect();
        assert!(uses.iter().all(|u| *u != Use::Reused));
        assert_eq!(uses.iter().filter(|u| **u == Use::Renewed).count(), SIBLINGS);
        assert!(refresh.live.len() <= SIBLINGS);
    }

    proptest! {
        /// Two hold copies of the same token and each goes on with what it is given, at any times.
        #[test]
        fn a_token_is_taken_exactly_if_it_is_the_latest_or_was_until_just_now(turns in prop::collection::vec((any::<bool>(), 0u64..40), 1..60)) {
            let mut refresh = begun();
            let mut held = [token(0), token(0)];
            let (mut now, mut next) = (1_000, 1u8);
            let mut served = [0u32; 2];
            for (who, pause) in turns {
                now += pause;
                let who = usize::from(who);
                let (shown, fresh) = (held[who], token(next));
                let was_live = refresh.live.contains(&shown);
                let was_parent = refresh.parents.contains(&shown);
                let in_time = now - refresh.rotated <= GRACE;
                match present(&mut refresh, shown, fresh, now) {
                    Use::Renewed => {
                        prop_assert!(was_live || (was_parent && in_time));
                        prop_assert!(!refresh.live.contains(&shown), "a used token is not good any more");
                        prop_assert!(refresh.live.contains(&fresh));
                        held[who] = fresh;
                        served[who] += 1;
                        next = next.wrapping_add(1).max(1);
                    }
                    Use::Known => prop_assert!(was_parent && in_time),
                    Use::Reused => {
                        prop_assert!(!(was_live || was_parent && in_time), "nobody is accused without reason");
                        break;
                    }
                }
                prop_assert!(refresh.live.len() <= SIBLINGS && refresh.parents.len() <= SIBLINGS);
                prop_assert!(!refresh.live.is_empty(), "the owner's next use always has something to match");
            }
        }

        #[test]
        fn a_thief_and_an_owner_cannot_both_stay_for_two_lifetimes(first in any::<bool>(), order in prop::collection::vec(any::<bool>(), 0..6)) {
            // Each renews only when its access token has ended, as browsers do: never within another's grace.
            let mut refresh = begun();
            let mut held = [token(0), token(0)];
            let mut noticed = false;
            let turns = std::iter::once(first).chain(order).chain([first, !first, first, !first]);
            for (n, who) in turns.enumerate() {
                let (who, fresh) = (usize::from(who), token(n as u8 + 1));
                match present(&mut refresh, held[who], fresh, 1_000 + n as u64 * 3_600) {
                    Use::Renewed => held[who] = fresh,
                    _ => { noticed = true; break; }
                }
            }
            prop_assert!(noticed);
        }
    }
}
