//! Every way in which a token could be made to say something else.

use std::time::{Duration, SystemTime};

use matrixos_fuzz::Fuzz;
use matrixos_store::{Caller, Method, Refresh, SessionScope};
use matrixos_types::Seat;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const NOW: u64 = 1_800_000_000;
const ORIGIN: &str = "https://matrix-os.example";

struct Fixture {
    mint: Mint,
    keys: Arc<Keys>,
    user: User,
    session: Session,
    _folder: tempfile::TempDir,
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = Arc::new(Keys::load_or_create(folder.path(), at(NOW)).expect("keys"));
    let user = User {
        id: UserId::random(),
        handle: Handle::parse("alice").expect("a handle"),
        seat: Seat::new(1).expect("a seat"),
        container: ContainerId::random(),
        created: 1,
        feed: false,
        admin: false,
        deletion: None,
    };
    let session = Session {
        id: SessionId::random(),
        user: user.id,
        scope: SessionScope::Platform,
        created: NOW,
        last_used: NOW,
        expires: NOW + 9,
        verified: NOW,
        method: Method::Passkey,
        caller: Caller::default(),
        refresh: Refresh::default(),
    };
    Fixture { mint: Mint::new(keys.clone(), ORIGIN.to_owned()), keys, user, session, _folder: folder }
}

/// A token with that header and those claims, signed with `secret` by HS256 whatever the header says.
fn forged(header: &Value, claims: &Value, secret: &[u8]) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret).expect("any length");
    mac.update(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

impl Fixture {
    fn claims(&self) -> Value {
        json!({
            "iss": ORIGIN, "aud": ORIGIN, "sub": self.user.id, "handle": "alice", "container": self.user.container,
            "sid": self.session.id, "iat": NOW, "exp": NOW + 3_600,
        })
    }

    fn read(&self, token: &str) -> bool {
        self.mint.read(token, &Door::Platform, NOW).is_some()
    }
}

#[test]
fn an_access_token_is_good_for_an_hour_at_its_own_door() {
    let f = fixture();
    let token = f.mint.access(&f.user, &f.session, NOW);
    let claims = f.mint.read(token.expose(), &Door::Platform, NOW + 3_599).expect("good");
    assert_eq!((claims.sid, claims.sub, &claims.handle), (f.session.id, f.user.id, &f.user.handle));
    assert_eq!(claims.container, f.user.container);
    assert!(f.mint.read(token.expose(), &Door::Platform, NOW + 3_600).is_none(), "its hour is over");
    assert!(f.mint.read(token.expose(), &Door::Platform, NOW - 61).is_none(), "from the future");
    assert!(f.mint.read(token.expose(), &Door::Computer(f.user.handle.clone()), NOW).is_none());
    let scope = SessionScope::Computer { handle: f.user.handle.clone(), parent: f.session.id };
    let visit = f.mint.access(&f.user, &Session { scope, ..f.session.clone() }, NOW);
    assert!(f.mint.read(visit.expose(), &Door::Computer(f.user.handle.clone()), NOW).is_some());
    let bobby = Door::Computer(Handle::parse("bobby").expect("a handle"));
    assert!(f.mint.read(visit.expose(), &bobby, NOW).is_none() && !f.read(visit.expose()));
}

#[test]
fn only_our_algorithm_our_keys_and_whole_claims_are_taken() {
    let f = fixture();
    let key = f.keys.newest();
    let header = json!({ "alg": "HS256", "typ": "JWT", "kid": key.id });
    assert!(f.read(&forged(&header, &f.claims(), &key.secret)), "the tests below begin from a good token");
    for alg in ["none", "None", "HS384", "HS512", "RS256", "ES256", "EdDSA", "PS256"] {
        let header = json!({ "alg": alg, "typ": "JWT", "kid": key.id });
        assert!(!f.read(&forged(&header, &f.claims(), &key.secret)), "{alg}");
        let unsigned = forged(&header, &f.claims(), &key.secret);
        let (message, _) = unsigned.rsplit_once('.').expect("three parts");
        assert!(!f.read(&format!("{message}.")), "{alg} without a signature");
    }
    for kid in [json!("../../etc/passwd"), json!("' or 1=1"), json!(""), json!(0), Value::Null] {
        let header = json!({ "alg": "HS256", "kid": kid });
        assert!(!f.read(&forged(&header, &f.claims(), &key.secret)), "{kid}");
        assert!(!f.read(&forged(&header, &f.claims(), b"")), "{kid} with an empty key");
    }
    let brings_its_own = json!({ "alg": "HS256", "kid": key.id, "jwk": { "kty": "oct", "k": "AAAA" } });
    assert!(!f.read(&forged(&brings_its_own, &f.claims(), &[0, 0, 0])));
    assert!(!f.read(&forged(&header, &f.claims(), &[7; 32])), "another key");
    for (field, values) in [
        ("exp", vec![json!("9999999999"), json!(-1), json!(1.8e18), json!(NOW), Value::Null]),
        ("iat", vec![json!("0"), json!(NOW + 61), Value::Null]),
        ("iss", vec![json!("https://evil.example"), json!(["https://matrix-os.example"]), Value::Null]),
        ("aud", vec![json!("https://evil.example"), json!([ORIGIN, "x"]), Value::Null]),
        ("sid", vec![json!("x"), json!(1), Value::Null]),
        ("sub", vec![json!("alice"), Value::Null]),
        ("handle", vec![json!("Alice"), json!("a--b"), Value::Null]),
        ("container", vec![json!("../x"), Value::Null]),
    ] {
        for value in values {
            let mut claims = f.claims();
            claims[field] = value.clone();
            assert!(!f.read(&forged(&header, &claims, &key.secret)), "{field}: {value}");
        }
        let mut claims = f.claims();
        claims.as_object_mut().expect("an object").remove(field);
        assert!(!f.read(&forged(&header, &claims, &key.secret)), "without {field}");
    }
}

#[test]
fn a_new_key_signs_and_the_one_before_it_still_verifies() {
    let f = fixture();
    let token = f.mint.access(&f.user, &f.session, NOW);
    let month = 30 * 24 * 3_600;
    f.keys.rotate(at(NOW + month - 1)).expect("not yet");
    let first = f.keys.newest().id;
    assert!(f.keys.named(&first).is_some() && f.read(token.expose()));
    f.keys.rotate(at(NOW + month)).expect("rotated");
    assert_ne!(f.keys.newest().id, first);
    assert!(f.read(token.expose()), "nobody is signed out");
    let again = Keys::load_or_create(f._folder.path(), at(NOW + month)).expect("read");
    assert_eq!(again.newest().id, f.keys.newest().id, "after a restart as well");
    f.keys.rotate(at(NOW + 2 * month)).expect("rotated");
    assert!(f.keys.named(&first).is_none() && !f.read(token.expose()), "two keys are kept");
}

#[test]
fn a_damaged_key_file_is_refused_not_replaced() {
    for name in ["accounts.key", "sessions.json"] {
        let folder = tempfile::tempdir().expect("a folder");
        Keys::load_or_create(folder.path(), at(NOW)).expect("made");
        std::fs::write(folder.path().join(name), b"short").expect("written");
        let error = Keys::load_or_create(folder.path(), at(NOW)).err().expect(name).to_string();
        assert!(error.contains(name) && error.contains("backup"), "{error}");
        assert_eq!(std::fs::read(folder.path().join(name)).expect("there"), b"short");
    }
}

#[test]
fn a_refresh_token_names_its_session_and_cannot_be_guessed() {
    let f = fixture();
    let (token, hash) = f.mint.refresh(f.session.id);
    let known = f.mint.known(token.expose()).expect("ours");
    assert_eq!((known.session, known.hash), (f.session.id, hash));
    let text = token.expose();
    for place in 0..text.len() {
        let mut bytes = text.as_bytes().to_vec();
        bytes[place] ^= 1;
        let other = String::from_utf8(bytes).expect("ASCII");
        assert!(f.mint.known(&other).is_none(), "{place}");
    }
    assert!(fixture().mint.known(text).is_none(), "of another installation");
}

#[test]
fn whatever_is_shown_only_the_tokens_that_were_given_are_taken() {
    let f = fixture();
    let access = f.mint.access(&f.user, &f.session, NOW).expose().to_owned();
    let (refresh, _) = f.mint.refresh(f.session.id);
    let refresh = refresh.expose().to_owned();
    let forgeries =
        [json!({ "alg": "none" }), json!({ "alg": "HS256", "kid": "" }), json!({ "alg": "HS512", "typ": "JWT" })]
            .map(|header| forged(&header, &f.claims(), b"guess").into_bytes());
    let given = [access.clone().into_bytes(), refresh.clone().into_bytes()];
    let corpus = Fuzz::corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/tokens.txt")).and(forgeries).and(given);
    corpus.slower_by(2).check(|input| {
        let Ok(text) = std::str::from_utf8(input) else { return };
        assert_eq!(f.read(text), text == access, "as an access token");
        assert_eq!(f.mint.known(text).is_some(), text == refresh, "as a refresh token");
    });
}

proptest! {
    #[test]
    fn no_text_is_taken_for_a_token_and_none_panics(text in "[ -~]{0,200}", parts in prop::collection::vec("[A-Za-z0-9_-]{0,40}", 0..5)) {
        let f = fixture();
        for text in [text, parts.join(".")] {
            prop_assert!(f.mint.read(&text, &Door::Platform, NOW).is_none());
            prop_assert!(f.mint.known(&text).is_none());
        }
    }

    #[test]
    fn no_change_of_one_character_keeps_an_access_token_good(place in 0usize..400, with in "[A-Za-z0-9_.-]") {
        let f = fixture();
        let token = f.mint.access(&f.user, &f.session, NOW).expose().to_owned();
        let place = place % token.len();
        let mut changed = token.clone();
        changed.replace_range(place..=place, &with);
        prop_assume!(changed != token);
        prop_assert!(!f.read(&changed), "{place}");
    }
}
