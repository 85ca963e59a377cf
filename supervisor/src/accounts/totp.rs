//! Codes of an authenticator app (RFC 6238: SHA-1, six digits, thirty seconds, as every app can) and recovery codes.
//! Secrets are sealed with, and recovery codes hashed by, keys that are not in the store.

use matrixos_store::{RecoveryCode, TokenHash, Totp};
use matrixos_types::{Handle, UserId};
use subtle::ConstantTimeEq;
use totp_rs::{Algorithm, Builder};

use super::keys::{Keys, mac};
use super::secret::Secret;
use crate::seal::Seal;

/// Recovery codes that are made at once.
pub const RECOVERY_CODES: usize = 10;
const DIGITS: u8 = 6;
/// Seconds.
const STEP: u64 = 30;
/// Steps by which a device's clock may be off.
const SKEW: u16 = 1;
/// No 0 and 1, which are read as O and l.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// 80 bits: too many to guess at any rate.
const RECOVERY_LENGTH: usize = 16;

/// No account has this id: it stands for a handle that nobody has.
pub(super) const NOBODY: UserId = UserId(uuid::Uuid::nil());

/// A shared secret of 160 bits.
#[derive(Clone)]
pub(super) struct Shared([u8; 20]);

/// What a person puts into their authenticator app.
#[derive(Debug)]
pub struct Offer {
    /// To be sent back with the first code.
    pub ceremony: Secret,
    /// The secret as Base32, to be typed.
    pub secret: Secret,
    /// The secret as a URL, to be shown as a QR code.
    pub otpauth: Secret,
}

/// A code as it was typed, without what people put in to read it better.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// Six digits of the app.
    Digits(String),
    /// A recovery code.
    Recovery(String),
    /// Neither.
    Nonsense,
}

/// How a code fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is the app's for this time step, which was not used before.
    Step(u64),
    /// It is the recovery code at this place, which was not used before.
    Recovery(usize),
}

impl Shared {
    pub(super) fn random() -> Self {
        let mut bytes = [0; 20];
        getrandom::fill(&mut bytes).expect("the kernel gives random bytes");
        Self(bytes)
    }

    fn totp(&self, handle: Option<&Handle>) -> totp_rs::Totp {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_step_duration(STEP)
            .with_skew(SKEW)
            .with_secret(self.0)
            .with_account_name(handle.map(Handle::to_string).unwrap_or_default())
            .with_issuer(Some("Matrix OS"))
            .build()
            .expect("these values are within RFC 6238")
    }

    /// The secret in both forms in which apps take it.
    pub(super) fn offer(&self, ceremony: Secret, handle: &Handle) -> Offer {
        let totp = self.totp(Some(handle));
        let otpauth = totp.to_url().expect("a handle is an account name");
        let secret = Secret::from_text(totp.secret().to_base32());
        Offer { ceremony, secret, otpauth: Secret::from_text(otpauth) }
    }

    /// The time step whose code this is, if it is near.
    pub(super) fn step(&self, digits: &str, now: u64) -> Option<u64> {
        self.totp(None).check(digits, now)
    }
}

impl Code {
    /// Reads what was typed.
    pub(super) fn parse(text: &str) -> Self {
        let bare: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').take(RECOVERY_LENGTH + 1).collect();
        if bare.len() == usize::from(DIGITS) && bare.bytes().all(|b| b.is_ascii_digit()) {
            return Self::Digits(bare);
        }
        let bare = bare.to_ascii_lowercase().replace('0', "o").replace('1', "l");
        if bare.len() == RECOVERY_LENGTH && bare.bytes().all(|b| ALPHABET.contains(&b)) {
            return Self::Recovery(bare);
        }
        Self::Nonsense
    }
}

/// Seals secrets and compares codes.
pub(super) struct Vault {
    seal: Seal,
    recovery: [u8; 32],
    /// What is compared with where there is nothing to compare with: as it lies in the store, for reading it takes most
    /// of the time.
    nobody: String,
}

impl Vault {
    pub(super) fn new(keys: &Keys) -> Self {
        let seal = Seal::new(keys.derive("authenticator secrets"));
        let vault = Self { seal, recovery: keys.derive("recovery codes"), nobody: String::new() };
        let (nobody, _) = vault.confirmed(NOBODY, &Shared::random(), 0, 0);
        Self { nobody: serde_json::to_string(&nobody).expect("records are plain data"), ..vault }
    }

    /// An app that was confirmed with the code of `step`, and its recovery codes, which are nowhere else.
    pub(super) fn confirmed(&self, user: UserId, shared: &Shared, step: u64, now: u64) -> (Totp, Vec<Secret>) {
        let (recovery, codes) = self.recovery_codes(user);
        (Totp { sealed: self.seal.seal(user, &shared.0), since: now, last_step: step, recovery }, codes)
    }

    /// Ten new recovery codes, hashed and plain.
    pub(super) fn recovery_codes(&self, user: UserId) -> (Vec<RecoveryCode>, Vec<Secret>) {
        let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| random_code()).collect();
        let kept = codes.iter().map(|code| RecoveryCode { hash: self.hash(user, code), used: None }).collect();
        (kept, codes.iter().map(|code| Secret::from_text(in_groups(code))).collect())
    }

    /// How a code fits, if it does. Without `totp`, as long is spent on finding that it does not.
    pub(super) fn fit(&self, user: UserId, totp: Option<&Totp>, code: &Code, now: u64) -> Option<Fit> {
        if let Some(totp) = totp {
            return self.compare(user, totp, code, now);
        }
        let nobody: Totp = serde_json::from_str(&self.nobody).expect("it was written by us");
        let _ = std::hint::black_box(self.compare(NOBODY, &nobody, code, now));
        None
    }

    fn compare(&self, user: UserId, totp: &Totp, code: &Code, now: u64) -> Option<Fit> {
        match code {
            Code::Digits(digits) => {
                let step = self.open(user, &totp.sealed)?.step(digits, now);
                step.filter(|step| *step > totp.last_step).map(Fit::Step)
            }
            Code::Recovery(text) => {
                let hash = self.hash(user, text);
                let is = |code: &RecoveryCode| bool::from(code.hash.0.ct_eq(&hash.0)) && code.used.is_none();
                totp.recovery.iter().position(is).map(Fit::Recovery)
            }
            Code::Nonsense => None,
        }
    }

    fn hash(&self, user: UserId, code: &str) -> TokenHash {
        TokenHash(mac(&self.recovery, &[user.0.as_bytes(), code.as_bytes()]))
    }

    fn open(&self, user: UserId, sealed: &str) -> Option<Shared> {
        self.seal.open(user, sealed)?.try_into().ok().map(Shared)
    }
}

/// Uses a code up.
pub(super) fn spend(totp: &mut Totp, fit: Fit, now: u64) {
    match fit {
        Fit::Step(step) => totp.last_step = step,
        Fit::Recovery(place) => totp.recovery[place].used = Some(now),
    }
}

fn random_code() -> String {
    let mut bytes = [0; RECOVERY_LENGTH];
    getrandom::fill(&mut bytes).expect("the kernel gives random bytes");
    bytes.iter().map(|b| char::from(ALPHABET[usize::from(b % 32)])).collect()
}

/// `abcd-efgh-ijkl-mnop`.
fn in_groups(code: &str) -> String {
    code.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
#[path = "totp_tests.rs"]
mod tests;
