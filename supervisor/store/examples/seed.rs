//! For scripts/bench: makes accounts in a new store, and prints the cookie that opens the first one's computer.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use matrixos_store::{NewAccount, Session, SessionScope, Store, TokenHash, User};
use matrixos_types::{Handle, UserId};
use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (folder, count) = (arguments.next().ok_or("folder")?, arguments.next().ok_or("count")?.parse::<u32>()?);
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let store = Store::open(Path::new(&folder))?;
    for number in 0..count {
        let user = store.create_account(&account(number, now)?)?;
        if number == 0 {
            println!("__Host-mx_computer={}", signed_in(&store, &user, now)?);
        }
    }
    Ok(())
}

fn account(number: u32, now: u64) -> Result<NewAccount, matrixos_types::HandleError> {
    let id = UserId::random();
    let handle = Handle::parse(&format!("bench{number}"))?;
    let credential = id.0.simple().to_string();
    Ok(NewAccount { id, handle, created: now, feed: false, credential, passkey: serde_json::Value::Null })
}

/// The token of a session on the computer of `user`.
fn signed_in(store: &Store, user: &User, now: u64) -> Result<String, matrixos_store::StoreError> {
    let begin = |scope| {
        let token = UserId::random().0.simple().to_string();
        let hash = TokenHash(Sha256::digest(&token).into());
        store.put_session(&Session { token: hash, user: user.id, scope, created: now, expires: now + 3_600 })?;
        Ok((token, hash))
    };
    let (_, parent) = begin(SessionScope::Platform)?;
    begin(SessionScope::Computer { handle: user.handle.clone(), parent }).map(|(token, _)| token)
}
