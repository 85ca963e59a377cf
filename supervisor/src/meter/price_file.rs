//! The table of prices as it is written in its file.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use matrixos_types::Nanos;
use serde::Deserialize;
use toml::value::Datetime;

use super::days;
use super::prices::{PerToken, Rates};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) context: u64,
    pub(super) web_search: String,
    #[serde(default)]
    pub(super) aliases: BTreeMap<String, String>,
    pub(super) price: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) models: Vec<String>,
    pub(super) from: Option<Datetime>,
    input: String,
    output: String,
    write_5m: String,
    write_1h: String,
    read: String,
    #[serde(default)]
    geo: BTreeMap<String, String>,
    #[serde(default)]
    speed: BTreeMap<String, String>,
    over: Option<Over>,
    context: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Over {
    tokens: u64,
    input: String,
    output: String,
    write_5m: String,
    write_1h: String,
    read: String,
}

impl Row {
    pub(super) fn rates(&self, search: Nanos, context: u64) -> Result<Rates, String> {
        let base = per_token([&self.input, &self.output, &self.write_5m, &self.write_1h, &self.read])?;
        let over = self.over.as_ref().map(Over::rates).transpose()?;
        let factors = |named: &BTreeMap<String, String>| {
            named.iter().map(|(name, text)| Ok((name.clone(), factor(text)?))).collect::<Result<_, String>>()
        };
        let (geo, speed) = (factors(&self.geo)?, factors(&self.speed)?);
        Ok(Rates { base, over, geo, speed, search, context: self.context.unwrap_or(context) })
    }
}

impl Over {
    fn rates(&self) -> Result<(u64, PerToken), String> {
        let texts = [&self.input, &self.output, &self.write_5m, &self.write_1h, &self.read];
        Ok((self.tokens, per_token(texts)?))
    }
}

fn per_token(texts: [&String; 5]) -> Result<PerToken, String> {
    let mut rates = [0; 5];
    for (rate, text) in rates.iter_mut().zip(texts) {
        *rate = each_of_a_million(text)?;
    }
    let [input, output, write_5m, write_1h, read] = rates;
    Ok(PerToken { input, output, write_5m, write_1h, read })
}

/// Nano-dollars for one, of dollars for a million.
fn each_of_a_million(text: &str) -> Result<u64, String> {
    match dollars(text)?.0 {
        0 => Err("nothing is free: a price of 0".to_owned()),
        million if million % 1_000_000 != 0 => {
            Err(format!("{text} for a million is no whole number of nano-dollars for one"))
        }
        million => Ok(million / 1_000_000),
    }
}

/// Names of models go into tables and logs as they are.
pub(super) fn check_name(model: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
    let begins_well = model.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins_well && model.len() <= 100 && model.chars().all(plain) {
        Ok(())
    } else {
        Err(format!("{model:?} is no name of a model"))
    }
}

pub(super) fn dollars(text: &str) -> Result<Nanos, String> {
    Nanos::parse(text).ok_or_else(|| format!("{text:?} is no amount in dollars such as \"12.50\""))
}

/// A factor in thousandths. None makes anything cheaper than it is.
fn factor(text: &str) -> Result<u64, String> {
    let nanos = dollars(text).map_err(|_| format!("{text:?} is no factor such as \"1.1\""))?.0;
    match nanos {
        n if n % 1_000_000 == 0 && n >= 1_000_000_000 => Ok(n / 1_000_000),
        _ => Err(format!("the factor {text} is less than 1 or has more than three decimals")),
    }
}

/// The moment at which a day begins, in UTC.
pub(super) fn start(day: Option<&Datetime>) -> Result<SystemTime, String> {
    let Some(day) = day else { return Ok(UNIX_EPOCH) };
    match (day.date, day.time) {
        (Some(date), None) => {
            let days = days::number(date.year.into(), date.month.into(), date.day.into());
            let days = days.ok_or_else(|| format!("{day} is no day"))?;
            Ok(UNIX_EPOCH + Duration::from_secs(u64::from(days) * 86_400))
        }
        _ => Err(format!("{day} is no day: write it like 2026-10-07")),
    }
}
