//! Sign-up and login with a real (software) authenticator and a real store.

mod common;

use std::time::Duration;

use common::{ORIGIN, caller, handle, platform};
use matrixos_supervisor::accounts::AccountError;
use matrixos_testkit::authenticator::{Device, user_handle};

#[tokio::test]
async fn a_passkey_made_at_sign_up_signs_in_without_a_handle() {
    let p = platform();
    let mut device = Device::at(ORIGIN);
    let first = p.sign_up(&mut device, "alice").await;
    assert_eq!(p.session(&first).await.expect("signed in").user().handle, handle("alice"));
    let started = p.accounts.start_login().expect("started");
    assert_eq!(started.options["allowCredentials"].as_array().map_or(0, Vec::len), 0, "no name, no list");
    assert_eq!(started.options["userVerification"], "required");
    let answer = device.sign_in(&started.options).expect("signed");
    let arrival = p.accounts.finish_login(started.ceremony.expose(), &answer, &caller()).await.expect("signed in");
    assert_eq!(arrival.user.handle, handle("alice"));
    assert!(p.session(&arrival.tokens.into()).await.is_some());
    let replayed = p.accounts.finish_login(started.ceremony.expose(), &answer, &caller()).await;
    assert!(matches!(replayed, Err(AccountError::CeremonyExpired)), "an answer works once");
}

#[tokio::test]
async fn sign_up_asks_for_a_discoverable_verified_credential() {
    let started = platform().accounts.start_sign_up("alice").expect("available");
    let selection = &started.options["authenticatorSelection"];
    assert_eq!(
        (selection["residentKey"].as_str(), selection["userVerification"].as_str()),
        (Some("required"), Some("required"))
    );
    assert_eq!(started.options["rp"]["id"], "localhost");
}

#[tokio::test]
async fn answers_from_other_origins_are_refused() {
    for origin in ["http://evil.localhost:8080", "http://localhost:9090", "https://localhost:8080"] {
        let p = platform();
        let mut device = Device::at(origin);
        let started = p.accounts.start_sign_up("alice").expect("available");
        let answer = device.register(&started.options).expect("a careless browser");
        let result = p.accounts.finish_sign_up(started.ceremony.expose(), &answer, false, &caller()).await;
        assert!(matches!(result, Err(AccountError::Rejected(_))), "{origin}");
    }
    let p = platform();
    let mut device = Device::at(ORIGIN);
    p.sign_up(&mut device, "alice").await;
    device.goes_to("http://evil.localhost:8080");
    let started = p.accounts.start_login().expect("started");
    let answer = device.sign_in(&started.options).expect("Chromium does this for a sibling subdomain");
    assert!(matches!(
        p.accounts.finish_login(started.ceremony.expose(), &answer, &caller()).await,
        Err(AccountError::Rejected(_))
    ));
}

#[tokio::test]
async fn ceremonies_of_others_of_the_other_kind_and_old_ones_are_refused() {
    let p = platform();
    let mut device = Device::at(ORIGIN);
    let (one, two) =
        (p.accounts.start_sign_up("alice").expect("free"), p.accounts.start_sign_up("bobby").expect("free"));
    let answer = device.register(&one.options).expect("registered");
    let foreign = p.accounts.finish_sign_up(two.ceremony.expose(), &answer, false, &caller()).await;
    assert!(matches!(foreign, Err(AccountError::Rejected(_))), "a challenge of another ceremony");
    let login = p.accounts.start_login().expect("started");
    let cross = p.accounts.finish_sign_up(login.ceremony.expose(), &answer, false, &caller()).await;
    assert!(matches!(cross, Err(AccountError::CeremonyExpired)));
    p.clock.advance(Duration::from_secs(301));
    let old = p.accounts.finish_sign_up(one.ceremony.expose(), &answer, false, &caller()).await;
    assert!(matches!(old, Err(AccountError::CeremonyExpired)));
    assert!(p.accounts.find(&handle("alice")).expect("store").is_none());
}

#[tokio::test]
async fn of_two_people_who_want_one_handle_the_second_keeps_a_way_out() {
    let p = platform();
    let (mut fast, mut slow) = (Device::at(ORIGIN), Device::at(ORIGIN));
    let started = p.accounts.start_sign_up("alice").expect("still free");
    p.sign_up(&mut fast, "alice").await;
    let answer = slow.register(&started.options).expect("registered");
    match p.accounts.finish_sign_up(started.ceremony.expose(), &answer, false, &caller()).await {
        Err(AccountError::Unavailable(suggestions)) => assert!(!suggestions.is_empty()),
        other => panic!("{other:?}"),
    }
    assert!(matches!(p.accounts.start_sign_up("alice"), Err(AccountError::Unavailable(_))));
}

#[tokio::test]
async fn a_passkey_is_bound_to_its_own_account() {
    let p = platform();
    let (mut alice, mut mallory) = (Device::at(ORIGIN), Device::at(ORIGIN));
    let held = p.sign_up(&mut alice, "alice").await;
    let victim = p.session(&held).await.expect("signed in").user().id;
    p.sign_up(&mut mallory, "mallory").await;
    let started = p.accounts.start_login().expect("started");
    let mut answer = mallory.sign_in(&started.options).expect("signed");
    answer["response"]["userHandle"] = user_handle(victim.0).into();
    assert!(matches!(
        p.accounts.finish_login(started.ceremony.expose(), &answer, &caller()).await,
        Err(AccountError::Rejected(_))
    ));
}

#[tokio::test]
async fn a_device_that_does_not_look_who_holds_it_opens_nothing() {
    let p = platform();
    let started = p.accounts.start_sign_up("alice").expect("available");
    let mut careless = started.options.clone();
    careless["authenticatorSelection"]["userVerification"] = "discouraged".into();
    let answer = Device::at(ORIGIN).register(&careless).expect("a device that is only touched");
    let made = p.accounts.finish_sign_up(started.ceremony.expose(), &answer, false, &caller()).await;
    assert!(matches!(made, Err(AccountError::Rejected(_))), "no passkey comes of it");
    let mut device = Device::at(ORIGIN);
    p.sign_up(&mut device, "alice").await;
    let started = p.accounts.start_login().expect("started");
    let mut careless = started.options.clone();
    careless["userVerification"] = "discouraged".into();
    let answer = device.sign_in(&careless).expect("only touched");
    let opened = p.accounts.finish_login(started.ceremony.expose(), &answer, &caller()).await;
    assert!(matches!(opened, Err(AccountError::Rejected(_))), "whoever finds the device gets no further");
}

#[tokio::test]
async fn a_copy_of_a_device_is_noticed_when_its_counter_falls_behind() {
    let p = platform();
    let mut device = Device::at(ORIGIN);
    p.sign_up(&mut device, "alice").await;
    let (first, second) = (p.accounts.start_login().expect("started"), p.accounts.start_login().expect("started"));
    let of_the_copy = device.sign_in(&first.options).expect("signed");
    let of_the_owner = device.sign_in(&second.options).expect("signed, with a higher count");
    p.accounts.finish_login(second.ceremony.expose(), &of_the_owner, &caller()).await.expect("signed in");
    let behind = p.accounts.finish_login(first.ceremony.expose(), &of_the_copy, &caller()).await;
    assert!(matches!(behind, Err(AccountError::Rejected(_))), "{:?}", behind.map(|arrival| arrival.user.handle));
}
