//! Sign-up, login and sessions with a real (software) authenticator and a real store.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use matrixos_store::Store;
use matrixos_supervisor::accounts::{AccountError, Accounts, SESSION};
use matrixos_supervisor::clock::Clock;
use matrixos_testkit::HandClock;
use matrixos_testkit::authenticator::{Device, user_handle};
use matrixos_types::Handle;
use url::Url;

const ORIGIN: &str = "http://localhost:8080";

struct TestClock(Arc<HandClock>);

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
}

struct Platform {
    accounts: Accounts,
    clock: Arc<HandClock>,
    _folder: tempfile::TempDir,
}

fn platform() -> Platform {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(HandClock::default());
    let store = Store::open(folder.path()).expect("a store");
    let accounts = Accounts::new(store, Arc::new(TestClock(clock.clone())), &Url::parse(ORIGIN).expect("a URL"))
        .expect("accounts");
    Platform { accounts, clock, _folder: folder }
}

fn handle(text: &str) -> Handle {
    Handle::parse(text).expect("a handle")
}

impl Platform {
    async fn sign_up(&self, device: &mut Device, name: &str) -> String {
        let started = self.accounts.start_sign_up(name).expect("available");
        let answer = device.register(&started.options).expect("registered");
        let (user, token) =
            self.accounts.finish_sign_up(started.ceremony.expose(), &answer, false).await.expect("signed up");
        assert_eq!(user.handle, handle(name));
        token.expose().to_owned()
    }
}

#[tokio::test]
async fn a_passkey_made_at_sign_up_signs_in_without_a_handle() {
    let p = platform();
    let mut device = Device::at(ORIGIN);
    let first = p.sign_up(&mut device, "alice").await;
    assert_eq!(p.accounts.session(&first).expect("store").expect("signed in").user().handle, handle("alice"));
    let started = p.accounts.start_login().expect("started");
    assert_eq!(started.options["allowCredentials"].as_array().map_or(0, Vec::len), 0, "no name, no list");
    assert_eq!(started.options["userVerification"], "required");
    let answer = device.sign_in(&started.options).expect("signed");
    let (user, token) = p.accounts.finish_login(started.ceremony.expose(), &answer).await.expect("signed in");
    assert_eq!(user.handle, handle("alice"));
    assert!(p.accounts.session(token.expose()).expect("store").is_some());
    let replayed = p.accounts.finish_login(started.ceremony.expose(), &answer).await;
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
        let result = p.accounts.finish_sign_up(started.ceremony.expose(), &answer, false).await;
        assert!(matches!(result, Err(AccountError::Rejected)), "{origin}");
    }
    let p = platform();
    let mut device = Device::at(ORIGIN);
    p.sign_up(&mut device, "alice").await;
    device.goes_to("http://evil.localhost:8080");
    let started = p.accounts.start_login().expect("started");
    let answer = device.sign_in(&started.options).expect("Chromium does this for a sibling subdomain");
    assert!(matches!(p.accounts.finish_login(started.ceremony.expose(), &answer).await, Err(AccountError::Rejected)));
}

#[tokio::test]
async fn ceremonies_of_others_of_the_other_kind_and_old_ones_are_refused() {
    let p = platform();
    let mut device = Device::at(ORIGIN);
    let (one, two) =
        (p.accounts.start_sign_up("alice").expect("free"), p.accounts.start_sign_up("bobby").expect("free"));
    let answer = device.register(&one.options).expect("registered");
    let foreign = p.accounts.finish_sign_up(two.ceremony.expose(), &answer, false).await;
    assert!(matches!(foreign, Err(AccountError::Rejected)), "a challenge of another ceremony");
    let login = p.accounts.start_login().expect("started");
    let cross = p.accounts.finish_sign_up(login.ceremony.expose(), &answer, false).await;
    assert!(matches!(cross, Err(AccountError::CeremonyExpired)));
    p.clock.advance(Duration::from_secs(301));
    let old = p.accounts.finish_sign_up(one.ceremony.expose(), &answer, false).await;
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
    match p.accounts.finish_sign_up(started.ceremony.expose(), &answer, false).await {
        Err(AccountError::Unavailable(suggestions)) => assert!(!suggestions.is_empty()),
        other => panic!("{other:?}"),
    }
    assert!(matches!(p.accounts.start_sign_up("alice"), Err(AccountError::Unavailable(_))));
}

#[tokio::test]
async fn a_passkey_is_bound_to_its_own_account() {
    let p = platform();
    let (mut alice, mut mallory) = (Device::at(ORIGIN), Device::at(ORIGIN));
    let token = p.sign_up(&mut alice, "alice").await;
    let victim = p.accounts.session(&token).expect("store").expect("signed in").user().id;
    p.sign_up(&mut mallory, "mallory").await;
    let started = p.accounts.start_login().expect("started");
    let mut answer = mallory.sign_in(&started.options).expect("signed");
    answer["response"]["userHandle"] = user_handle(victim.0).into();
    assert!(matches!(p.accounts.finish_login(started.ceremony.expose(), &answer).await, Err(AccountError::Rejected)));
}

#[tokio::test]
async fn an_entry_code_opens_one_computer_once_and_soon() {
    let p = platform();
    let token = p.sign_up(&mut Device::at(ORIGIN), "alice").await;
    p.sign_up(&mut Device::at(ORIGIN), "bobby").await;
    let session = p.accounts.session(&token).expect("store").expect("signed in");
    let code = || p.accounts.entry_code(&session).expect("a code").expose().to_owned();
    assert!(p.accounts.redeem(&code(), &handle("bobby")).await.expect("store").is_none(), "not another's computer");
    let used = code();
    let visit = p.accounts.redeem(&used, &handle("alice")).await.expect("store").expect("let in").expose().to_owned();
    assert!(p.accounts.redeem(&used, &handle("alice")).await.expect("store").is_none(), "once");
    let late = code();
    p.clock.advance(Duration::from_secs(61));
    assert!(p.accounts.redeem(&late, &handle("alice")).await.expect("store").is_none(), "soon");
    assert!(p.accounts.visit(&visit, &handle("alice")).expect("store").is_some());
    assert!(p.accounts.visit(&visit, &handle("bobby")).expect("store").is_none());
    assert!(p.accounts.visit(&token, &handle("alice")).expect("store").is_none(), "a platform session is not a visit");
    assert!(p.accounts.session(&visit).expect("store").is_none(), "nor the other way round");
    let unused = code();
    p.accounts.sign_out(&session).await.expect("signed out");
    assert!(p.accounts.visit(&visit, &handle("alice")).expect("store").is_none(), "signing out ends the visits");
    assert!(p.accounts.redeem(&unused, &handle("alice")).await.expect("store").is_none(), "and the codes under way");
}

#[tokio::test]
async fn sessions_end_by_themselves() {
    let p = platform();
    let token = p.sign_up(&mut Device::at(ORIGIN), "alice").await;
    p.clock.advance(SESSION - Duration::from_secs(1));
    assert!(p.accounts.session(&token).expect("store").is_some());
    p.clock.advance(Duration::from_secs(1));
    assert!(p.accounts.session(&token).expect("store").is_none());
    p.accounts.tidy().await.expect("tidied");
}
