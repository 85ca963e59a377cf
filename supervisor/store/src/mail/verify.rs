//! Looking for contradictions in what is kept of channels.

use std::collections::HashSet;

use matrixos_types::UserId;

use crate::records::User;
use crate::store::Store;
use crate::table::Record;
use crate::verify::Check;

/// Everything belongs to an account, and replies have the numbers that were given out.
pub(crate) fn verify(store: &Store, users: &[User], check: &mut Check) {
    let known: HashSet<UserId> = users.iter().map(|user| user.id).collect();
    let mail = &store.0.mail;
    let mailboxes = check.records(&mail.mailboxes);
    let replies = check.records(&mail.replies);
    let owners = [
        (super::ChannelSettings::TABLE, check.records(&mail.settings).iter().map(|r| r.user).collect::<Vec<_>>()),
        (super::Letter::TABLE, check.records(&mail.letters).iter().map(|r| r.user).collect()),
        (super::Profile::TABLE, check.records(&mail.profiles).iter().map(|r| r.user).collect()),
        (super::Mailbox::TABLE, mailboxes.iter().map(|r| r.user).collect()),
        (super::Reply::TABLE, replies.iter().map(|r| r.user).collect()),
    ];
    for (table, owners) in owners {
        for _ in owners.iter().filter(|owner| !known.contains(owner)) {
            check.add(table, "a record of a channel or a profile belongs to no account".to_owned());
        }
    }
    for reply in replies {
        let mailbox = mailboxes.iter().find(|m| m.user == reply.user && m.channel == reply.channel);
        if mailbox.is_none_or(|mailbox| reply.number >= mailbox.next) {
            check.add(super::Reply::TABLE, format!("the number {} would be given to another reply", reply.number));
        }
    }
}
