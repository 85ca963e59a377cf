//! Sessions: an hour, seven days, and what ends them at once.

mod common;

use std::time::Duration;

use common::{Held, ORIGIN, Platform, at, caller, handle, platform};
use matrixos_store::{PLATFORM_SESSIONS, What};
use matrixos_supervisor::accounts::{ACCESS, AccountError, FRESH, Presented, SESSION, SESSION_AT_MOST};
use matrixos_testkit::authenticator::Device;
use proptest::prelude::*;

#[tokio::test]
async fn a_browser_stays_signed_in_as_long_as_it_comes_back_and_not_for_ever() {
    let p = platform();
    let mut held = p.sign_up(&mut Device::at(ORIGIN), "alice").await;
    let first = held.clone();
    p.clock.advance(ACCESS);
    assert!(p.session(&held).await.is_none(), "the hour is over");
    assert!(p.ask(&mut held).await.is_some(), "and renewed on the way");
    assert_ne!(held.refresh, first.refresh);
    assert!(p.session(&held).await.is_some());
    let begun = ACCESS;
    let mut gone = begun;
    while gone + SESSION < SESSION_AT_MOST {
        p.clock.advance(SESSION - Duration::from_secs(1));
        gone += SESSION - Duration::from_secs(1);
        assert!(p.ask(&mut held).await.is_some(), "after {gone:?}");
    }
    p.clock.advance(SESSION_AT_MOST - gone - Duration::from_secs(1));
    assert!(p.ask(&mut held).await.is_some(), "to the last second");
    p.clock.advance(Duration::from_secs(1));
    assert!(p.ask(&mut held).await.is_none(), "however often it was renewed");
}

#[tokio::test]
async fn whoever_is_signed_in_stays_so_when_the_clock_is_set_back_and_is_asked_for_a_new_proof() {
    let p = platform();
    let mut held = p.sign_up(&mut Device::at(ORIGIN), "alice").await;
    let stolen = held.clone();
    p.fresh(&held).await;
    p.clock.set_back(Duration::from_secs(3_650 * 86_400));
    assert!(p.session(&held).await.is_none(), "a token of the future is none");
    let session = p.ask(&mut held).await.expect("it is renewed");
    assert!(p.accounts.fresh(session).is_none(), "a proof does not last ten years");
    assert!(p.session(&held).await.is_some());
    p.clock.advance(ACCESS);
    assert!(p.ask(&mut held).await.is_some() && p.session(&held).await.is_some());
    p.clock.advance(Duration::from_secs(11));
    let mut stolen = stolen;
    assert!(p.ask(&mut stolen).await.is_none() && p.ask(&mut held).await.is_none(), "and a token still works once");
}

#[tokio::test]
async fn whoever_is_signed_in_signs_in_again_when_the_clock_jumps_ahead_by_weeks() {
    let p = platform();
    let mut device = Device::at(ORIGIN);
    let mut held = p.sign_up(&mut device, "alice").await;
    p.clock.advance(Duration::from_secs(40 * 86_400));
    assert!(p.ask(&mut held).await.is_none());
    let mut held = p.sign_in(&mut device).await;
    p.clock.set_back(Duration::from_secs(40 * 86_400));
    assert!(p.ask(&mut held).await.is_some(), "and the clock that is put right signs nobody out");
}

#[tokio::test]
async fn a_session_that_nobody_renews_ends() {
    let p = platform();
    let mut held = p.sign_up(&mut Device::at(ORIGIN), "alice").await;
    let session = p.session(&held).await.expect("signed in");
    p.clock.advance(SESSION);
    assert!(p.ask(&mut held).await.is_none());
    assert!(p.store.session(session.id()).expect("store").is_some());
    p.accounts.tidy().await.expect("tidied");
    assert!(p.store.session(session.id()).expect("store").is_none());
}

#[tokio::test]
async fn a_token_that_is_used_again_ends_the_session_for_thief_and_owner() {
    let p = platform();
    let mut owner = p.sign_up(&mut Device::at(ORIGIN), "alice").await;
    let mut thief = owner.clone();
    p.clock.advance(ACCESS);
    assert!(p.ask(&mut thief).await.is_some());
    p.clock.advance(Duration::from_secs(11));
    let other = p.sign_up(&mut Device::at(ORIGIN), "bobby").await;
    assert!(p.accounts.session(owner.old(), &at("203.0.113.9")).await.expect("store").is_none());
    assert!(p.session(&thief).await.is_none(), "at once");
    assert!(p.ask(&mut thief).await.is_none() && p.ask(&mut owner).await.is_none());
    assert!(p.session(&other).await.is_some(), "nobody else's");
    let alice = p.accounts.find(&handle("alice")).expect("store").expect("there");
    let events = p.accounts.events_for_operator(Some(alice.id), u64::MAX, 9).expect("store");
    assert_eq!(events[0].what, What::RefreshReused);
    assert_eq!(events[0].caller, at("203.0.113.9"));
}

#[tokio::test]
async fn tabs_that_renew_at_the_same_time_all_stay_signed_in() {
    let p = platform();
    let held = p.sign_up(&mut Device::at(ORIGIN), "alice").await;
    p.clock.advance(ACCESS);
    let from = caller();
    let all = (0..20).map(|_| p.accounts.session(held.old(), &from));
    let mut admitted = Vec::new();
    for one in all {
        admitted.push(one.await.expect("store").expect("let in"));
    }
    p.clock.advance(ACCESS);
    // Whichever answer came last, its token is what the browser has kept.
    let kept = admitted.iter().filter_map(|a| a.renewed.clone()?.refresh).next_back().expect("a new token");
    let presented = Presented { access: None, refresh: Some(kept.expose()) };
    assert!(p.accounts.session(presented, &from).await.expect("store").is_some());
}

#[tokio::test]
async fn guesses_end_nobodys_session() {
    let p = platform();
    let held = p.sign_up(&mut Device::at(ORIGIN), "alice").await;
    let id = p.session(&held).await.expect("signed in").id();
    let other = platform().sign_up(&mut Device::at(ORIGIN), "alice").await;
    for guess in [format!("v1.{id}.guess.guess"), other.refresh, String::new(), "v1...".to_owned()] {
        let presented = Presented { access: None, refresh: Some(&guess) };
        assert!(p.accounts.session(presented, &caller()).await.expect("store").is_none(), "{guess}");
    }
    assert!(p.session(&held).await.is_some());
}

/// The owner's browser goes through the door of its computer.
async fn enter(p: &Platform, held: &Held, name: &str) -> Held {
    let session = p.session(held).await.expect("signed in");
    let nonce = p.accounts.entry_nonce();
    let code = p.accounts.entry_code(&session, &p.accounts.entry_state(nonce.expose()));
    let let_in = p.accounts.redeem(code.expose(), nonce.expose(), &handle(name), &caller()).await.expect("store");
    let_in.expect("let in").into()
}

#[tokio::test]
async fn an_entry_code_opens_one_computer_once_soon_and_in_the_browser_that_asked() {
    let p = platform();
    let held = p.sign_up(&mut Device::at(ORIGIN), "alice").await;
    p.sign_up(&mut Device::at(ORIGIN), "bobby").await;
    let session = p.session(&held).await.expect("signed in");
    let state = p.accounts.entry_state("nonce");
    let code = || p.accounts.entry_code(&session, &state).expose().to_owned();
    let redeem = async |code: &str, nonce: &str, name: &str| {
        p.accounts.redeem(code, nonce, &handle(name), &caller()).await.expect("store").map(Held::from)
    };
    assert!(redeem(&code(), "nonce", "bobby").await.is_none(), "not another's computer");
    for other in ["", "another browser's", &state] {
        assert!(redeem(&code(), other, "alice").await.is_none(), "not in {other:?}");
    }
    let used = code();
    let visit = redeem(&used, "nonce", "alice").await.expect("let in");
    assert!(redeem(&used, "nonce", "alice").await.is_none(), "once");
    let late = code();
    p.clock.advance(Duration::from_secs(61));
    assert!(redeem(&late, "nonce", "alice").await.is_none(), "soon");
    assert!(p.visit(&visit, "alice").await.is_some());
    assert!(p.visit(&visit, "bobby").await.is_none());
    assert!(p.visit(&held, "alice").await.is_none(), "a platform session is not a visit");
    assert!(p.session(&visit).await.is_none(), "nor the other way round");
    for presented in [visit.old(), visit.presented()] {
        assert!(p.accounts.session(presented, &caller()).await.expect("store").is_none());
    }
    let unused = code();
    p.accounts.sign_out(&session, &caller()).await.expect("signed out");
    assert!(p.visit(&visit, "alice").await.is_none(), "signing out ends the visits");
    assert!(redeem(&unused, "nonce", "alice").await.is_none(), "and the codes under way");
}

#[tokio::test]
async fn a_visit_is_renewed_on_its_own_and_keeps_its_owner_signed_in() {
    let p = platform();
    let mut held = p.sign_up(&mut Device::at(ORIGIN), "alice").await;
    let mut visit = enter(&p, &held, "alice").await;
    for _ in 0..10 {
        p.clock.advance(Duration::from_secs(24 * 3_600));
        let admitted = p.accounts.visit(&handle("alice"), visit.presented(), &caller()).await.expect("store");
        visit = admitted.expect("let in").renewed.expect("renewed").into();
    }
    assert!(p.ask(&mut held).await.is_some(), "the platform session has not ended meanwhile");
    let stolen = visit.clone();
    p.clock.advance(ACCESS);
    let admitted = p.accounts.visit(&handle("alice"), visit.presented(), &caller()).await.expect("store");
    let visit: Held = admitted.expect("let in").renewed.expect("renewed").into();
    p.clock.advance(Duration::from_secs(11));
    assert!(p.accounts.visit(&handle("alice"), stolen.old(), &caller()).await.expect("store").is_none());
    assert!(p.visit(&visit, "alice").await.is_none(), "a copied visit ends");
    assert!(p.ask(&mut held).await.is_some(), "the session it came from does not");
}

#[tokio::test]
async fn whatever_ends_a_session_ends_what_is_open_at_once() {
    for way in ["sign out", "revoke", "revoke all", "one too many", "delete", "drain", "expire"] {
        let p = platform();
        let mut device = Device::at(ORIGIN);
        let held = p.sign_up(&mut device, "alice").await;
        let visit = enter(&p, &held, "alice").await;
        let until = p.visit(&visit, "alice").await.expect("let in").until().clone();
        assert!(!until.is_cancelled());
        let other = p.sign_in(&mut device).await;
        let (session, elsewhere) = (p.session(&held).await.expect("in"), p.session(&other).await.expect("in"));
        match way {
            "sign out" => p.accounts.sign_out(&session, &caller()).await.expect(way),
            "revoke" => p.accounts.revoke(&elsewhere, session.id(), &caller()).await.expect(way),
            "revoke all" => p.accounts.revoke_all(&elsewhere, &caller()).await.expect(way),
            "one too many" => {
                for _ in 0..PLATFORM_SESSIONS {
                    p.sign_in(&mut device).await;
                }
            }
            "delete" => p.accounts.delete(session.user().clone()).await.expect(way),
            "drain" => p.end.cancel(),
            _ => {
                p.clock.advance(SESSION);
                p.accounts.tidy().await.expect(way);
            }
        }
        assert!(until.is_cancelled(), "{way}");
        if way != "drain" {
            assert!(p.visit(&visit, "alice").await.is_none(), "{way}");
        }
        assert_eq!(p.session(&other).await.is_some(), matches!(way, "sign out" | "revoke" | "drain"), "{way}");
    }
}

#[tokio::test]
async fn people_see_their_sessions_and_end_their_own_only() {
    let p = platform();
    let mut device = Device::at(ORIGIN);
    let first = p.sign_up(&mut device, "alice").await;
    p.clock.advance(Duration::from_secs(5));
    let second = p.sign_in(&mut device).await;
    let mallory = p.sign_up(&mut Device::at(ORIGIN), "mallory").await;
    enter(&p, &first, "alice").await;
    let (mine, theirs) = (p.session(&second).await.expect("in"), p.session(&mallory).await.expect("in"));
    let ids: Vec<_> = p.accounts.sessions(&mine).expect("store").into_iter().map(|s| s.id).collect();
    assert_eq!(ids, [mine.id(), p.session(&first).await.expect("in").id()], "computer sessions are not listed");
    let foreign = p.accounts.revoke(&theirs, mine.id(), &caller()).await;
    assert!(matches!(foreign, Err(AccountError::Missing("session"))), "{foreign:?}");
    assert!(p.session(&second).await.is_some());
    p.accounts.revoke(&mine, ids[1], &caller()).await.expect("ended");
    assert!(p.session(&first).await.is_none());
    assert_eq!(p.happened(&second).await, [What::SessionRevoked, What::SignedIn, What::SignedUp]);
    p.accounts.revoke_all(&mine, &caller()).await.expect("ended");
    assert!(p.session(&second).await.is_none() && p.session(&mallory).await.is_some());
}

#[tokio::test]
async fn a_proof_counts_for_five_minutes() {
    let p = platform();
    let mut device = Device::at(ORIGIN);
    let held = p.sign_up(&mut device, "alice").await;
    p.fresh(&held).await;
    p.clock.advance(FRESH);
    let session = p.session(&held).await.expect("signed in");
    assert!(p.accounts.fresh(session.clone()).is_none());
    let started = p.accounts.start_verify(&session).expect("started");
    assert_eq!(started.options["userVerification"], "required");
    assert_eq!(started.options["allowCredentials"].as_array().map(Vec::len), Some(1), "one's own passkeys");
    let answer = device.sign_in(&started.options).expect("signed");
    let mallory = p.sign_up(&mut Device::at(ORIGIN), "mallory").await;
    let theirs = p.session(&mallory).await.expect("signed in");
    let foreign = p.accounts.finish_verify(&theirs, started.ceremony.expose(), &answer, &caller()).await;
    assert!(matches!(foreign, Err(AccountError::CeremonyExpired)), "a ceremony of another session");
    let started = p.accounts.start_verify(&session).expect("started");
    let stolen = p.accounts.finish_login(started.ceremony.expose(), &answer, &caller()).await;
    assert!(matches!(stolen, Err(AccountError::CeremonyExpired)), "nor a login");
    let started = p.accounts.start_verify(&session).expect("started");
    let answer = device.sign_in(&started.options).expect("signed");
    let until = p.accounts.finish_verify(&session, started.ceremony.expose(), &answer, &caller()).await;
    assert_eq!(until.expect("verified"), p.session(&held).await.expect("in").fresh_until());
    p.fresh(&held).await;
    let mut held = held;
    p.clock.advance(ACCESS);
    let session = p.ask(&mut held).await.expect("renewed");
    assert!(p.accounts.fresh(session).is_none(), "renewing a session proves nothing");
}

#[derive(Clone, Debug)]
enum Turn {
    /// A browser asks; `true` is the owner.
    Ask(bool),
    Wait(u32),
    SignOut,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = prop_oneof![
        6 => any::<bool>().prop_map(Turn::Ask),
        4 => prop_oneof![0u32..12, 3_500u32..3_700, 600_000u32..610_000].prop_map(Turn::Wait),
        1 => Just(Turn::SignOut),
    ];
    prop::collection::vec(turn, 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    /// Whatever an owner and a thief with a copy of all cookies do: once the session has ended it stays so for both.
    #[test]
    fn a_session_that_has_ended_stays_ended(turns in turns()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let p = platform();
            let mut held = [p.sign_up(&mut Device::at(ORIGIN), "alice").await, Held::default()];
            held[1] = held[0].clone();
            let id = p.session(&held[0]).await.expect("signed in").id();
            for turn in turns {
                match turn {
                    Turn::Ask(owner) => {
                        let who = &mut held[usize::from(!owner)];
                        let alive = p.store.session(id).expect("store").is_some();
                        let admitted = p.ask(who).await;
                        prop_assert!(alive || admitted.is_none());
                        if let Some(session) = admitted {
                            prop_assert_eq!(session.id(), id);
                            prop_assert!(p.store.session(id).expect("store").is_some());
                        }
                    }
                    Turn::Wait(seconds) => p.clock.advance(Duration::from_secs(seconds.into())),
                    Turn::SignOut => if let Some(session) = p.session(&held[0]).await {
                        p.accounts.sign_out(&session, &caller()).await.expect("store");
                        prop_assert!(p.ask(&mut held[0]).await.is_none() && p.ask(&mut held[1]).await.is_none());
                    }
                }
                if let Some(session) = p.store.session(id).expect("store") {
                    let refresh = &session.refresh;
                    prop_assert!((1..=8).contains(&refresh.live.len()) && refresh.parents.len() <= 8);
                    prop_assert!(session.expires <= session.created + SESSION_AT_MOST.as_secs());
                }
            }
            Ok(())
        })?;
    }
}
