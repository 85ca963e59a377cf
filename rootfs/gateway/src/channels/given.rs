//! What the environment says about channels on a server of the owner's own. It counts before the settings, and what it
//! says cannot be changed there: there is one place to look for whoever may write.

use anyhow::{Context, Result};
use matrixos_channels::Settings as Reach;
use matrixos_types::channels::TELEGRAM;
use serde_json::{Map, Value, json};

use crate::config::Channels;

/// The token of a bot. No other program of this computer is to have it.
pub(crate) const TOKEN: &str = "MATRIX_TELEGRAM_TOKEN";
/// Who may write to it: ids, with commas between them.
const OWNERS: &str = "MATRIX_TELEGRAM_OWNERS";
/// Where the Bot API is, if it is not Telegram's own.
const API: &str = "MATRIX_TELEGRAM_API";
const TELEGRAMS_OWN: &str = "https://api.telegram.org";
/// How the settings say which of their fields come from here.
const FIXED: &str = "fromEnvironment";

/// What is given.
#[derive(Clone)]
pub struct Given {
    pub(super) reach: Reach,
    token: Option<String>,
    owners: Option<Vec<String>>,
}

impl Given {
    /// Reads it. Fails if tokens would be sent where anybody could read them.
    pub(crate) fn read(text: impl Fn(&str) -> Option<String>) -> Result<Self> {
        // A server of one's own may have no name that Telegram could bring messages to: they are fetched.
        let telegram_api = text(API).unwrap_or_else(|| TELEGRAMS_OWN.to_owned());
        let reach = Reach { telegram_api, telegram_webhook: None };
        reach.check().context(API)?;
        let ids = |list: String| list.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect();
        Ok(Self { reach, token: text(TOKEN).map(|token| token.trim().to_owned()), owners: text(OWNERS).map(ids) })
    }

    /// Lays it over the settings. A token that is given is there to be used, unless the settings say otherwise.
    pub(crate) fn over(&self, channels: &mut Channels) {
        if self.token.is_none() && self.owners.is_none() {
            return;
        }
        let place = channels.0.entry(TELEGRAM.to_owned()).or_insert_with(|| json!({}));
        let Some(fields) = place.as_object_mut() else { return };
        if let Some(token) = &self.token {
            fields.insert("token".to_owned(), json!(token));
            fields.entry("enabled").or_insert(json!(true));
        }
        if let Some(owners) = &self.owners {
            fields.insert("owners".to_owned(), json!(owners));
        }
        let fixed = [("token", self.token.is_some()), ("owners", self.owners.is_some())];
        let fixed: Vec<&str> = fixed.into_iter().filter_map(|(name, is)| is.then_some(name)).collect();
        fields.insert(FIXED.to_owned(), json!(fixed));
    }

    /// Why a change of a channel's settings would change nothing; what is given and stays as it is goes out of it.
    pub(crate) fn refuses(&self, channel: &str, change: &mut Map<String, Value>) -> Option<String> {
        change.remove(FIXED);
        if channel != TELEGRAM {
            return None;
        }
        let says = |what: &str, name: &str| {
            format!("{what} set by {name} on this server, so not here. Change it there, then restart the computer.")
        };
        if self.token.is_some() && change.remove("token").is_some() {
            return Some(says("The token of Telegram is", TOKEN));
        }
        let owners = self.owners.as_ref()?;
        let given = change.remove("owners")?;
        (given != json!(owners)).then(|| says("Those who may write on Telegram are", OWNERS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(pairs: &[(&str, &str)]) -> Result<Given> {
        Given::read(|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    fn laid(given: &Given, settings: Value) -> Value {
        let mut channels = Channels([(TELEGRAM.to_owned(), settings)].into());
        given.over(&mut channels);
        channels.0[TELEGRAM].clone()
    }

    #[test]
    fn what_is_given_counts_before_the_settings_and_nothing_given_changes_nothing() {
        let both = given(&[(TOKEN, "1:given\n"), (OWNERS, " 7, 8,,")]).expect("settings");
        let laid_over = laid(&both, json!({ "token": "2:entered", "owners": ["9"] }));
        assert_eq!((&laid_over["token"], &laid_over["owners"]), (&json!("1:given"), &json!(["7", "8"])));
        assert_eq!(laid_over["enabled"], true);
        assert_eq!(laid(&both, json!({ "enabled": false }))["enabled"], false, "it can be switched off");
        let none = given(&[]).expect("settings");
        assert_eq!(laid(&none, json!({ "owners": ["9"] })), json!({ "owners": ["9"] }));
    }

    #[test]
    fn a_change_of_what_is_given_is_refused_and_saying_it_again_is_not() {
        let both = given(&[(TOKEN, "1:given"), (OWNERS, "7")]).expect("settings");
        let refuses = |change: Value| both.refuses(TELEGRAM, change.as_object().cloned().get_or_insert_default());
        assert!(refuses(json!({ "token": "2:x" })).is_some_and(|why| why.contains(TOKEN) && !why.contains("1:given")));
        assert!(refuses(json!({ "token": null })).is_some());
        assert!(refuses(json!({ "owners": ["7", "8"] })).is_some_and(|why| why.contains(OWNERS)));
        assert_eq!(refuses(json!({ "owners": ["7"], "enabled": false, "fromEnvironment": ["token"] })), None);
        let only_a_token = given(&[(TOKEN, "1:given")]).expect("settings");
        assert_eq!(only_a_token.refuses(TELEGRAM, &mut Map::from_iter([("owners".to_owned(), json!(["9"]))])), None);
    }

    #[test]
    fn tokens_are_not_sent_where_anybody_can_read_them() {
        assert!(given(&[(API, "http://bots.example")]).is_err());
        assert!(given(&[(API, "bots")]).is_err());
        assert!(given(&[(API, "http://127.0.0.1:8081")]).is_ok());
    }
}
