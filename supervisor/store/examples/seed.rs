//! For scripts/bench: makes accounts in a new store, and prints the cookie that opens the first one's computer.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use matrixos_store::{NewAccount, Session, SessionScope, Store, TokenHash};
use matrixos_types::{Handle, UserId};
use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (folder, count) = (arguments.next().ok_or("folder")?, arguments.next().ok_or("count")?.parse::<u32>()?);
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let store = Store::open(Path::new(&folder))?;
    for number in 0..count {
        let id = UserId::random();
        let handle = Handle::parse(&format!("bench{number}"))?;
        let credential = id.0.simple().to_string();
        let user = store.create_account(&NewAccount {
            id,
            handle,
            created: now,
            feed: false,
            credential,
            passkey: serde_json::Value::Null,
        })?;
        if number == 0 {
            let token = id.0.simple().to_string();
            let scope = SessionScope::Computer { handle: user.handle, parent: TokenHash([0; 32]) };
            let hash = TokenHash(Sha256::digest(&token).into());
            store.put_session(&Session { token: hash, user: user.id, scope, created: now, expires: now + 3_600 })?;
            println!("__Host-mx_computer={token}");
        }
    }
    Ok(())
}
