//! Codes: which fit, how often, and for how long.

use std::time::SystemTime;

use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_800_000_000;

fn vault() -> (Vault, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = Keys::load_or_create(folder.path(), SystemTime::now()).expect("keys");
    (Vault::new(&keys), folder)
}

fn digits(shared: &Shared, time: u64) -> Code {
    Code::parse(&shared.totp(None).generate(time).to_string())
}

#[test]
fn codes_are_those_of_rfc_6238() {
    let shared = Shared(*b"12345678901234567890");
    // Appendix B, the last six of the eight digits.
    for (time, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
        assert_eq!(shared.step(code, time), Some(time / STEP), "{time}");
    }
}

#[test]
fn a_code_works_once_and_within_one_step() {
    let (vault, _folder) = vault();
    let (user, shared) = (UserId::random(), Shared::random());
    let (mut totp, _) = vault.confirmed(user, &shared, 0, NOW);
    for (off, fits) in [(-2i64, false), (-1, true), (0, true), (1, true), (2, false)] {
        let code = digits(&shared, NOW.saturating_add_signed(off * STEP as i64));
        assert_eq!(vault.fit(user, Some(&totp), &code, NOW).is_some(), fits, "{off} steps");
    }
    let code = digits(&shared, NOW);
    let fit = vault.fit(user, Some(&totp), &code, NOW).expect("fits");
    spend(&mut totp, fit, NOW);
    assert_eq!(vault.fit(user, Some(&totp), &code, NOW), None, "once");
    assert_eq!(vault.fit(user, Some(&totp), &digits(&shared, NOW - STEP), NOW), None, "nor an older one");
    assert!(vault.fit(user, Some(&totp), &digits(&shared, NOW + STEP), NOW).is_some());
}

#[test]
fn recovery_codes_work_once_each_for_their_own_account_however_they_are_typed() {
    let (vault, _folder) = vault();
    let user = UserId::random();
    let (mut totp, codes) = vault.confirmed(user, &Shared::random(), 0, NOW);
    assert_eq!((codes.len(), totp.unused()), (RECOVERY_CODES, RECOVERY_CODES));
    let kept = serde_json::to_string(&totp).expect("JSON");
    for code in &codes {
        let plain = code.expose();
        assert!(!kept.contains(plain) && !kept.contains(&plain.replace('-', "")), "only hashes are kept");
        let typed = format!("  {} ", plain.to_uppercase().replace('-', " ").replace('O', "0").replace('L', "1"));
        let code = Code::parse(&typed);
        assert_eq!(vault.fit(UserId::random(), Some(&totp), &code, NOW), None, "another's");
        let fit = vault.fit(user, Some(&totp), &code, NOW).expect("fits");
        spend(&mut totp, fit, NOW);
        assert_eq!(vault.fit(user, Some(&totp), &code, NOW), None, "once");
    }
    assert_eq!(totp.unused(), 0);
}

#[test]
fn a_secret_is_sealed_for_its_account_with_a_key_from_outside_the_store() {
    let (vault, _folder) = vault();
    let (user, shared) = (UserId::random(), Shared::random());
    let (totp, _) = vault.confirmed(user, &shared, 0, NOW);
    assert_eq!(vault.open(user, &totp.sealed).expect("opens").0, shared.0);
    assert!(vault.open(UserId::random(), &totp.sealed).is_none(), "put into another's record");
    assert!(self::vault().0.open(user, &totp.sealed).is_none(), "without the key");
    let hex: String = shared.0.iter().map(|b| format!("{b:02x}")).collect();
    assert!(!totp.sealed.contains(&hex));
    for cut in [0, 2, 30, totp.sealed.len() - 2] {
        assert!(vault.open(user, &totp.sealed[..cut]).is_none());
    }
}

#[test]
fn where_there_is_no_app_nothing_fits() {
    let (vault, _folder) = vault();
    let nobody: Totp = serde_json::from_str(&vault.nobody).expect("JSON");
    let shared = vault.open(NOBODY, &nobody.sealed).expect("the stand-in");
    assert!(vault.compare(NOBODY, &nobody, &digits(&shared, NOW), NOW).is_some(), "it is compared with for real");
    assert_eq!(vault.fit(NOBODY, None, &digits(&shared, NOW), NOW), None, "not even the stand-in's own code");
    assert_eq!(nobody.recovery.len(), RECOVERY_CODES, "as much to compare with as anybody's");
}

#[test]
fn an_offer_can_be_typed_or_scanned() {
    let shared = Shared(*b"12345678901234567890");
    let offer = shared.offer(Secret::random(), &Handle::parse("alice").expect("a handle"));
    assert_eq!(offer.secret.expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    let url = url::Url::parse(offer.otpauth.expose()).expect("a URL");
    let fields: std::collections::HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!((url.scheme(), url.host_str()), ("otpauth", Some("totp")));
    assert!(url.path().ends_with("alice"), "{url}");
    assert_eq!(fields["secret"], offer.secret.expose());
    assert!(!format!("{offer:?}").contains("GEZDG"), "it does not show itself");
    assert_eq!(fields["issuer"], "Matrix OS");
}

proptest! {
    #[test]
    fn any_text_is_digits_a_recovery_code_or_nonsense(text in "\\PC{0,60}") {
        match Code::parse(&text) {
            Code::Digits(d) => prop_assert!(d.len() == 6 && d.bytes().all(|b| b.is_ascii_digit())),
            Code::Recovery(r) => prop_assert!(r.len() == RECOVERY_LENGTH && r.bytes().all(|b| ALPHABET.contains(&b))),
            Code::Nonsense => {}
        }
    }

    #[test]
    fn hyphens_and_spaces_do_not_matter(code in "[0-9]{6}", place in 0usize..6) {
        let mut typed = code.clone();
        typed.insert_str(place, " - ");
        prop_assert_eq!(Code::parse(&typed), Code::Digits(code));
    }
}
