//! Passkeys, authenticator apps and recovery codes, as people see to them.

mod common;

use std::time::Duration;

use common::{ORIGIN, Platform, at, caller, handle, platform, shown};
use matrixos_store::{Method, What, verify};
use matrixos_supervisor::accounts::{AccountError, Arrival, Offer, RECOVERY_CODES};
use matrixos_testkit::authenticator::Device;

/// A new account that signs in with an app.
async fn with_app(p: &Platform, name: &str) -> (Arrival, Offer) {
    let offer = p.accounts.start_totp_sign_up(name).expect("available");
    let code = shown(&offer, p.clock.now());
    let arrival = p.accounts.finish_totp_sign_up(offer.ceremony.expose(), &code, true, &caller()).await;
    (arrival.expect("signed up"), offer)
}

async fn login(p: &Platform, name: &str, code: &str) -> Result<Arrival, AccountError> {
    p.accounts.login_with_code(name, code, &caller()).await
}

#[tokio::test]
async fn an_account_with_an_app_is_made_once_the_first_code_has_come() {
    let p = platform();
    let offer = p.accounts.start_totp_sign_up("alice").expect("available");
    let ceremony = offer.ceremony.expose();
    let wrong = p.accounts.finish_totp_sign_up(ceremony, "000000", true, &caller()).await;
    assert!(matches!(wrong, Err(AccountError::CodeRejected)), "{wrong:?}");
    assert!(p.accounts.find(&handle("alice")).expect("store").is_none());
    let arrival = p.accounts.finish_totp_sign_up(ceremony, &shown(&offer, p.clock.now()), true, &caller()).await;
    let arrival = arrival.expect("signed up");
    assert_eq!((arrival.recovery_codes.len(), arrival.user.feed), (RECOVERY_CODES, true));
    assert!(p.session(&arrival.tokens.into()).await.is_some());
    let again = p.accounts.finish_totp_sign_up(ceremony, &shown(&offer, p.clock.now()), true, &caller()).await;
    assert!(matches!(again, Err(AccountError::CeremonyExpired)));
    assert!(matches!(p.accounts.start_totp_sign_up("alice"), Err(AccountError::Unavailable(_))));
    assert!(verify(&p.store).is_empty(), "{:?}", verify(&p.store));
    let offer = p.accounts.start_totp_sign_up("bobby").expect("available");
    for _ in 0..5 {
        let wrong = p.accounts.finish_totp_sign_up(offer.ceremony.expose(), "nonsense", true, &caller()).await;
        assert!(matches!(wrong, Err(AccountError::CodeRejected)));
    }
    let code = shown(&offer, p.clock.now());
    let spent = p.accounts.finish_totp_sign_up(offer.ceremony.expose(), &code, true, &caller()).await;
    assert!(matches!(spent, Err(AccountError::CeremonyExpired)), "five tries");
}

#[tokio::test]
async fn a_code_signs_in_once() {
    let p = platform();
    let (_, offer) = with_app(&p, "alice").await;
    let first = shown(&offer, p.clock.now());
    assert!(matches!(login(&p, "alice", &first).await, Err(AccountError::SignInRejected)), "it confirmed the app");
    p.clock.advance(Duration::from_secs(30));
    let code = shown(&offer, p.clock.now());
    let spaced = format!(" {} {}", &code[..3], &code[3..]);
    let arrival = login(&p, "alice", &spaced).await.expect("signed in");
    assert_eq!((arrival.user.handle, arrival.recovery_codes_left), (handle("alice"), None));
    assert!(matches!(login(&p, "alice", &code).await, Err(AccountError::SignInRejected)), "once");
    let sessions = p.accounts.sessions(&p.session(&arrival.tokens.into()).await.expect("in")).expect("store");
    assert_eq!(sessions[0].method, Method::Totp);
}

#[tokio::test]
async fn of_many_that_use_one_code_at_the_same_time_one_is_let_in() {
    let p = std::sync::Arc::new(platform());
    let (_, offer) = with_app(&p, "alice").await;
    p.clock.advance(Duration::from_secs(30));
    let code = shown(&offer, p.clock.now());
    let racers: Vec<_> = (0..8)
        .map(|n| {
            let (p, code) = (p.clone(), code.clone());
            tokio::spawn(async move {
                p.accounts.login_with_code("alice", &code, &at(&format!("198.51.{n}.1"))).await.is_ok()
            })
        })
        .collect();
    let mut let_in = 0;
    for racer in racers {
        let_in += u32::from(racer.await.expect("no panic"));
    }
    assert_eq!(let_in, 1);
}

#[tokio::test]
async fn a_recovery_code_signs_in_once_and_says_how_many_are_left() {
    let p = platform();
    let (arrival, _) = with_app(&p, "alice").await;
    let code = arrival.recovery_codes[3].expose();
    let back = login(&p, "alice", code).await.expect("signed in");
    assert_eq!(back.recovery_codes_left, Some(RECOVERY_CODES - 1));
    assert!(matches!(login(&p, "alice", code).await, Err(AccountError::SignInRejected)), "once");
    let held = back.tokens.into();
    let happened = p.happened(&held).await;
    assert!(happened.contains(&What::RecoveryCodeUsed) && happened.contains(&What::SignedIn), "{happened:?}");
    let new = p.accounts.new_recovery_codes(&p.fresh(&held).await, &caller()).await.expect("made");
    let old = login(&p, "alice", arrival.recovery_codes[4].expose()).await;
    assert!(matches!(old, Err(AccountError::SignInRejected)), "those before do not work any more");
    login(&p, "alice", new[0].expose()).await.expect("signed in");
}

#[tokio::test]
async fn whoever_guesses_learns_nothing_about_handles_and_keeps_nobody_out() {
    let p = platform();
    let (arrival, offer) = with_app(&p, "alice").await;
    p.sign_up(&mut Device::at(ORIGIN), "passkey").await;
    let stranger = at("203.0.113.9");
    for name in ["alice", "passkey", "nobody1", "Not A Handle", ""] {
        let answers = [
            p.accounts.login_with_code(name, "123456", &stranger).await,
            p.accounts.login_with_code(name, "aaaa-bbbb-cccc-dddd", &stranger).await,
            p.accounts.login_with_code(name, "", &stranger).await,
        ];
        for answer in answers {
            assert!(matches!(answer, Err(AccountError::SignInRejected)), "{name}: {answer:?}");
        }
        let mut waits = Vec::new();
        for _ in 0..30 {
            match p.accounts.login_with_code(name, "123456", &stranger).await {
                Err(AccountError::TooOften { wait }) => waits.push(wait),
                other => assert!(matches!(other, Err(AccountError::SignInRejected)), "{name}: {other:?}"),
            }
        }
        assert_eq!((waits.len(), waits[0]), (28, 120), "{name}: after five, a pause, whether or not it exists");
    }
    // A crowd of strangers uses up what all strangers together have.
    for n in 0..60 {
        let _ = p.accounts.login_with_code("alice", "123456", &at(&format!("10.0.{n}.1"))).await;
    }
    p.clock.advance(Duration::from_secs(30));
    let code = shown(&offer, p.clock.now());
    p.accounts.login_with_code("alice", &code, &caller()).await.expect("from where the owner was seen before");
    let recovery = arrival.recovery_codes[0].expose();
    p.accounts.login_with_code("alice", recovery, &at("198.51.100.77")).await.expect("and from anywhere by this");
    p.clock.advance(Duration::from_secs(30));
    let code = shown(&offer, p.clock.now());
    let elsewhere = p.accounts.login_with_code("alice", &code, &at("100.100.1.1")).await;
    assert!(matches!(elsewhere, Err(AccountError::TooOften { .. })), "six digits from a new place wait");
}

#[tokio::test]
async fn a_refused_code_takes_as_long_whether_or_not_the_handle_exists() {
    let p = platform();
    with_app(&p, "alice").await;
    for n in 0..20 {
        p.sign_up(&mut Device::at(ORIGIN), &format!("passkey{n}")).await;
    }
    for code in ["123456", "aaaa-bbbb-cccc-dddd"] {
        let mut times = [Vec::new(), Vec::new(), Vec::new()];
        for round in 0..150u8 {
            // No pause is due, so that every attempt is really looked at.
            p.clock.advance(Duration::from_secs(300));
            for (name, times) in ["alice", "passkey0", "nobody1"].iter().zip(&mut times) {
                let begun = std::time::Instant::now();
                let answer = p.accounts.login_with_code(name, code, &at(&format!("203.0.{round}.9"))).await;
                times.push(begun.elapsed());
                assert!(matches!(answer, Err(AccountError::SignInRejected)), "{name}: {answer:?}");
            }
        }
        let [app, passkey, nobody] = times.map(|mut t| {
            t.sort_unstable();
            t[t.len() / 2]
        });
        println!("{code}: with an app {app:?}, with a passkey {passkey:?}, nobody {nobody:?}");
        for (who, time) in [("an app", app), ("a passkey", passkey)] {
            // One write to the disk would be many times as long.
            assert!(time < nobody * 2 && nobody < time * 2, "{code}: with {who} {time:?}, nobody {nobody:?}");
        }
    }
}

#[tokio::test]
async fn refused_sign_ins_are_written_down_for_the_owner() {
    let p = platform();
    let (arrival, _) = with_app(&p, "alice").await;
    let refused = p.accounts.login_with_code("alice", "123456", &at("203.0.113.9")).await;
    assert!(matches!(refused, Err(AccountError::SignInRejected)));
    let session = p.session(&arrival.tokens.into()).await.expect("in");
    for _ in 0..200 {
        let events = p.accounts.events(&session, u64::MAX, 1).expect("store");
        if events[0].what == What::SignInRefused {
            assert_eq!(events[0].caller, at("203.0.113.9"));
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nothing was written down");
}

#[tokio::test]
async fn passkeys_are_added_named_used_and_removed_but_for_the_last_way_in() {
    let p = platform();
    let (mut phone, mut laptop) = (Device::at(ORIGIN), Device::at(ORIGIN));
    let held = p.sign_up(&mut phone, "alice").await;
    let fresh = p.fresh(&held).await;
    let started = p.accounts.start_passkey(&fresh).expect("started");
    assert_eq!(started.options["excludeCredentials"].as_array().map(Vec::len), Some(1), "the phone's is known");
    assert_eq!(started.options["authenticatorSelection"]["residentKey"], "required");
    let answer = laptop.register(&started.options).expect("registered");
    let ceremony = started.ceremony.expose();
    for name in ["", "  ", &"x".repeat(65), "a\nb"] {
        let bad = p.accounts.finish_passkey(&fresh, ceremony, &answer, name, &caller()).await;
        assert!(matches!(bad, Err(AccountError::BadName)), "{name:?}");
    }
    let added = p.accounts.finish_passkey(&fresh, ceremony, &answer, " Laptop ", &caller()).await.expect("added");
    assert_eq!((added.name.as_str(), added.last_used), ("Laptop", None));
    let again = p.accounts.finish_passkey(&fresh, ceremony, &answer, "Laptop", &caller()).await;
    assert!(matches!(again, Err(AccountError::CeremonyExpired)));
    let by_laptop = p.sign_in(&mut laptop).await;
    let session = p.session(&by_laptop).await.expect("signed in");
    assert_eq!(session.user().handle, handle("alice"));
    let listed = p.accounts.security(&session).expect("store").passkeys;
    assert_eq!(listed.len(), 2);
    assert!(listed[1].last_used.is_some());
    let renamed = p.accounts.rename_passkey(&session, &listed[1].id, "Work", &caller()).await.expect("renamed");
    assert_eq!((renamed.name.as_str(), renamed.last_used), ("Work", listed[1].last_used));
    p.accounts.remove_passkey(&fresh, &listed[0].id, &caller()).await.expect("removed");
    let started = p.accounts.start_login().expect("started");
    let answer = phone.sign_in(&started.options).expect("signed");
    let gone = p.accounts.finish_login(started.ceremony.expose(), &answer, &caller()).await;
    assert!(matches!(gone, Err(AccountError::UnknownPasskey)), "a removed passkey opens nothing");
    let last = p.accounts.remove_passkey(&fresh, &listed[1].id, &caller()).await;
    assert!(matches!(last, Err(AccountError::LastFactor)), "{last:?}");
    let happened = p.happened(&held).await;
    let expected = [What::PasskeyRemoved, What::PasskeyRenamed, What::SignedIn, What::PasskeyAdded, What::SignedUp];
    assert_eq!(happened, expected);
    assert!(verify(&p.store).is_empty(), "{:?}", verify(&p.store));
}

#[tokio::test]
async fn nobody_sees_to_anothers_passkeys() {
    let p = platform();
    let alice = p.sign_up(&mut Device::at(ORIGIN), "alice").await;
    let mallory = p.sign_up(&mut Device::at(ORIGIN), "mallory").await;
    let theirs = p.accounts.security(&p.session(&alice).await.expect("in")).expect("store").passkeys[0].id.clone();
    let fresh = p.fresh(&mallory).await;
    let renamed = p.accounts.rename_passkey(&fresh, &theirs, "mine", &caller()).await;
    assert!(matches!(renamed, Err(AccountError::Missing("passkey"))), "{renamed:?}");
    let removed = p.accounts.remove_passkey(&fresh, &theirs, &caller()).await;
    assert!(matches!(removed, Err(AccountError::Missing("passkey"))), "{removed:?}");
    let started = p.accounts.start_passkey(&p.fresh(&alice).await).expect("started");
    let answer = Device::at(ORIGIN).register(&started.options).expect("registered");
    let crossed = p.accounts.finish_passkey(&fresh, started.ceremony.expose(), &answer, "x", &caller()).await;
    assert!(matches!(crossed, Err(AccountError::CeremonyExpired)), "a ceremony of another account");
}

#[tokio::test]
async fn an_app_is_set_up_replaced_and_removed_but_for_the_last_way_in() {
    let p = platform();
    let held = p.sign_up(&mut Device::at(ORIGIN), "alice").await;
    let fresh = p.fresh(&held).await;
    let nothing = p.accounts.new_recovery_codes(&fresh, &caller()).await;
    assert!(matches!(nothing, Err(AccountError::Missing("authenticator app"))));
    let offer = p.accounts.start_totp(&fresh);
    let foreign = p.accounts.finish_totp_sign_up(offer.ceremony.expose(), "000000", false, &caller()).await;
    assert!(matches!(foreign, Err(AccountError::CeremonyExpired)), "an offer to an account makes none");
    let code = shown(&offer, p.clock.now());
    let codes = p.accounts.finish_totp(&fresh, offer.ceremony.expose(), &code, &caller()).await.expect("set");
    assert_eq!(codes.len(), RECOVERY_CODES);
    let second = p.accounts.start_totp(&fresh);
    p.clock.advance(Duration::from_secs(30));
    login(&p, "alice", &shown(&offer, p.clock.now())).await.expect("the first works until the second is confirmed");
    let code = shown(&second, p.clock.now());
    p.accounts.finish_totp(&fresh, second.ceremony.expose(), &code, &caller()).await.expect("set");
    p.clock.advance(Duration::from_secs(30));
    assert!(login(&p, "alice", &shown(&offer, p.clock.now())).await.is_err(), "the first does not any more");
    assert!(login(&p, "alice", codes[0].expose()).await.is_err(), "nor its recovery codes");
    p.accounts.remove_totp(&fresh, &caller()).await.expect("a passkey is left");
    let session = p.session(&held).await.expect("in");
    let security = p.accounts.security(&session).expect("store");
    assert_eq!((security.totp_since, security.recovery_codes), (None, None));
    let (arrival, _) = with_app(&p, "bobby").await;
    let last = p.accounts.remove_totp(&p.fresh(&arrival.tokens.into()).await, &caller()).await;
    assert!(matches!(last, Err(AccountError::LastFactor)), "{last:?}");
}

#[tokio::test]
async fn a_code_proves_who_somebody_is_and_guesses_are_few() {
    let p = platform();
    let (arrival, offer) = with_app(&p, "alice").await;
    let held = arrival.tokens.clone().into();
    p.clock.advance(Duration::from_secs(600));
    let session = p.session(&held).await.expect("in");
    assert!(p.accounts.fresh(session.clone()).is_none());
    assert!(matches!(p.accounts.start_verify(&session), Err(AccountError::Missing("passkey"))));
    p.accounts.verify_with_code(&session, &shown(&offer, p.clock.now()), &caller()).await.expect("verified");
    p.fresh(&held).await;
    for n in 0..6 {
        let wrong = p.accounts.verify_with_code(&session, "000000", &at(&format!("198.51.{n}.1"))).await;
        match (n, wrong) {
            (0..5, Err(AccountError::CodeRejected)) | (5, Err(AccountError::TooOften { .. })) => {}
            (n, other) => panic!("{n}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn an_account_is_deleted_after_a_week_in_which_its_owner_may_change_their_mind() {
    let p = platform();
    let mut device = Device::at(ORIGIN);
    let held = p.sign_up(&mut device, "alice").await;
    let elsewhere = p.sign_in(&mut device).await;
    let fresh = p.fresh(&held).await;
    let typo = p.accounts.request_deletion(&fresh, "alicia", &caller()).await;
    assert!(matches!(typo, Err(AccountError::NotConfirmed)));
    let at = p.accounts.request_deletion(&fresh, "alice", &caller()).await.expect("asked for");
    assert!(p.session(&elsewhere).await.is_none(), "every other session ends");
    let session = p.session(&held).await.expect("this one goes on");
    assert_eq!(session.user().deletion, Some(at));
    p.clock.advance(Duration::from_secs(3_600));
    assert!(p.accounts.due().expect("store").is_empty());
    let mut held = p.sign_in(&mut device).await;
    assert_eq!(p.accounts.request_deletion(&p.fresh(&held).await, "alice", &caller()).await.expect("again"), at);
    let session = p.session(&held).await.expect("in");
    p.accounts.undo_deletion(&session, &caller()).await.expect("undone");
    assert_eq!(p.session(&held).await.expect("in").user().deletion, None);
    p.accounts.request_deletion(&p.fresh(&held).await, "alice", &caller()).await.expect("asked for");
    p.clock.advance(Duration::from_secs(7 * 24 * 3_600 - 1));
    assert!(p.accounts.due().expect("store").is_empty());
    p.ask(&mut held).await.expect("still there");
    p.clock.advance(Duration::from_secs(1));
    let due = p.accounts.due().expect("store");
    assert_eq!(due.len(), 1);
    let session = p.ask(&mut held).await.expect("still there");
    let late = p.accounts.undo_deletion(&session, &caller()).await;
    assert!(matches!(late, Err(AccountError::DeletionPending)), "{late:?}");
    p.accounts.delete(due[0].clone()).await.expect("deleted");
    assert!(p.ask(&mut held).await.is_none());
    assert!(matches!(p.accounts.start_sign_up("alice"), Err(AccountError::Unavailable(_))), "nobody gets the handle");
    assert!(verify(&p.store).is_empty(), "{:?}", verify(&p.store));
}

#[tokio::test]
async fn an_invitation_makes_one_administrator() {
    let p = platform();
    let (alice, bobby) =
        (p.sign_up(&mut Device::at(ORIGIN), "alice").await, p.sign_up(&mut Device::at(ORIGIN), "bobby").await);
    let session = p.session(&alice).await.expect("in");
    assert!(p.accounts.administrator(session).is_none());
    let token = p.accounts.invite_administrator();
    let guess = p.accounts.accept_invitation(&p.fresh(&bobby).await, "guess", &caller()).await;
    assert!(matches!(guess, Err(AccountError::BadInvitation)));
    p.accounts.accept_invitation(&p.fresh(&alice).await, token.expose(), &caller()).await.expect("accepted");
    let again = p.accounts.accept_invitation(&p.fresh(&bobby).await, token.expose(), &caller()).await;
    assert!(matches!(again, Err(AccountError::BadInvitation)), "once");
    let grant = p.accounts.administrator(p.session(&alice).await.expect("in")).expect("an administrator");
    assert!(p.accounts.administrator(p.session(&bobby).await.expect("in")).is_none());
    let all = p.accounts.events_for_administrators(&grant, None, u64::MAX, 9).expect("store");
    assert_eq!(all.iter().map(|e| e.what).collect::<Vec<_>>(), [What::AdminGranted, What::SignedUp, What::SignedUp]);
    let late = p.accounts.invite_administrator();
    p.clock.advance(Duration::from_secs(3_600));
    let mut bobby = bobby;
    p.ask(&mut bobby).await;
    assert!(p.accounts.administrators().expect("store").len() == 1);
    p.accounts.dismiss_administrator(grant.user()).await.expect("dismissed");
    let mut alice = alice;
    let session = p.ask(&mut alice).await.expect("in");
    assert!(p.accounts.administrator(session).is_none(), "at once");
    let _ = late;
}
