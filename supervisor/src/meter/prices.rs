//! What the provider asks for, as data: by model, by day, by length of the prompt. All of it in whole nano-dollars.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use matrixos_types::Nanos;

use super::price_file::{self, File, Row};
use super::usage::{Tokens, Usage};

const SHIPPED: &str = include_str!("../../../packaging/prices.toml");

/// Why a table of prices is not used.
#[derive(Debug, thiserror::Error)]
pub enum PricesError {
    /// It cannot be read.
    #[error("the table of prices {} cannot be read: {source}", path.display())]
    Read {
        /// Where it lies.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not what it should be.
    #[error("the table of prices is not valid: {0}; correct it, the prices stay as they were until then")]
    Content(String),
}

/// The prices of all models.
#[derive(Debug)]
pub struct Prices {
    /// By model, then by the time from which they hold.
    models: BTreeMap<String, BTreeMap<SystemTime, Arc<Rates>>>,
    aliases: BTreeMap<String, String>,
}

/// Nano-dollars for one token of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PerToken {
    pub(super) input: u64,
    pub(super) output: u64,
    pub(super) write_5m: u64,
    pub(super) write_1h: u64,
    pub(super) read: u64,
}

/// What one model costs from some day on.
#[derive(Debug)]
pub(super) struct Rates {
    pub(super) base: PerToken,
    /// With a prompt of more tokens than this, all of them cost this.
    pub(super) over: Option<(u64, PerToken)>,
    /// Factors, in thousandths.
    pub(super) geo: BTreeMap<String, u64>,
    pub(super) speed: BTreeMap<String, u64>,
    pub(super) search: Nanos,
    pub(super) context: u64,
}

/// What one model costs at one time.
#[derive(Clone, Debug)]
pub struct Price {
    /// The model, by the name that the table knows.
    pub model: String,
    rates: Arc<Rates>,
}

/// What a call asked for that changes what its tokens cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Factor for speed, in thousandths.
    speed: u64,
    /// Factor for the place, in thousandths.
    geo: u64,
    /// Whether it writes to the cache for an hour.
    hour: bool,
}

impl Prices {
    /// Those that came with this program.
    pub fn shipped() -> Self {
        Self::parse(SHIPPED).expect("a test reads it")
    }

    /// Those in a file.
    pub fn load(path: &Path) -> Result<Self, PricesError> {
        let read = std::fs::read_to_string(path);
        Self::parse(&read.map_err(|source| PricesError::Read { path: path.to_owned(), source })?)
    }

    /// Those of a text.
    pub fn parse(text: &str) -> Result<Self, PricesError> {
        let file: File = toml::from_str(text).map_err(|error| PricesError::Content(error.to_string()))?;
        Self::from_file(file).map_err(PricesError::Content)
    }

    fn from_file(file: File) -> Result<Self, String> {
        let search = price_file::dollars(&file.web_search)?;
        let mut prices = Self { models: BTreeMap::new(), aliases: file.aliases };
        for row in &file.price {
            let from = price_file::start(row.from.as_ref())?;
            let rates = Arc::new(row.rates(search, file.context)?);
            prices.add(row, from, &rates)?;
        }
        match prices
            .aliases
            .iter()
            .find(|(name, model)| !prices.models.contains_key(*model) || prices.models.contains_key(*name))
        {
            Some((name, model)) => {
                Err(format!("the alias {name} leads to {model}, which has no row, or has one itself"))
            }
            None if prices.models.is_empty() => Err("it has no row".to_owned()),
            None => Ok(prices),
        }
    }

    fn add(&mut self, row: &Row, from: SystemTime, rates: &Arc<Rates>) -> Result<(), String> {
        for model in &row.models {
            price_file::check_name(model)?;
            if self.models.entry(model.clone()).or_default().insert(from, rates.clone()).is_some() {
                return Err(format!("{model} has two rows for the same time"));
            }
        }
        Ok(())
    }

    /// What a model costs at a time, under its own or another name. Names are exact: an unknown one has no price.
    pub fn price(&self, model: &str, at: SystemTime) -> Option<Price> {
        let model = self.aliases.get(model).map_or(model, String::as_str);
        let (_, rates) = self.models.get(model)?.range(..=at).next_back()?;
        Some(Price { model: model.to_owned(), rates: rates.clone() })
    }

    /// The models that have a price at a time.
    pub fn models(&self, at: SystemTime) -> Vec<String> {
        let priced = self.models.iter().filter(|(_, rows)| rows.range(..=at).next().is_some());
        priced.map(|(model, _)| model.clone()).collect()
    }

    /// The dearest answer there is: what stands in for a model that nobody priced.
    fn dearest(&self, at: SystemTime) -> Option<Price> {
        let priced = self.models.keys().filter_map(|model| self.price(model, at));
        priced.max_by_key(|price| (price.rates.base.output, price.rates.base.input))
    }

    /// What a whole call cost. What the provider lists as passes is priced pass by pass, since some tokens are only there;
    /// the whole is never cheaper than what it says as a whole.
    pub fn cost(&self, price: &Price, terms: Terms, usage: &Usage, at: SystemTime) -> Nanos {
        let terms = terms.as_used(price, usage);
        let whole = price.cost(terms, usage.tokens);
        let parts = usage.parts.iter().map(|part| {
            let priced = part.model.as_ref().map(|model| self.price(model, at).or_else(|| self.dearest(at)));
            priced.flatten().as_ref().unwrap_or(price).cost(terms, part.tokens)
        });
        let listed: Nanos = parts.sum();
        // Where the passes account for all of it, each has its own model's price; the whole would be priced as if the model
        // that was asked had done everything.
        let used = if usage.parts_cover_the_whole() { listed } else { whole.max(listed) };
        used.plus(price.rates.search.times(usage.searches))
    }
}

impl Price {
    /// The factors for what a call asks for. An unknown one is an error with its name: it may cost anything.
    pub fn terms(&self, speed: Option<&str>, geo: Option<&str>, hour: bool) -> Result<Terms, String> {
        let factor = |known: &BTreeMap<String, u64>, usual: &str, kind: &str, name: Option<&str>| match name {
            None => Ok(1_000),
            Some(name) if name == usual => Ok(1_000),
            Some(name) => known.get(name).copied().ok_or_else(|| format!("{kind} {name} with {}", self.model)),
        };
        let speed = factor(&self.rates.speed, "standard", "speed", speed)?;
        let geo = factor(&self.rates.geo, "global", "inference_geo", geo)?;
        Ok(Terms { speed, geo, hour })
    }

    /// What tokens cost, rounded up.
    pub fn cost(&self, terms: Terms, tokens: Tokens) -> Nanos {
        let tokens = tokens.split(terms.hour);
        let rates = self.rates_for(tokens.prompt());
        let sum = [
            (tokens.input, rates.input),
            (tokens.output, rates.output),
            (tokens.write_5m, rates.write_5m),
            (tokens.write_1h, rates.write_1h),
            (tokens.read, rates.read),
        ];
        let sum =
            sum.into_iter().map(|(count, rate)| u128::from(count) * u128::from(rate)).fold(0, u128::saturating_add);
        let exact = sum.saturating_mul(u128::from(terms.speed)).saturating_mul(u128::from(terms.geo));
        Nanos(u64::try_from(exact.div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }

    /// The most that a prompt of at most so many tokens can cost: all of it written to the cache.
    pub fn prompt_at_most(&self, terms: Terms, tokens: u64) -> Tokens {
        let tokens = tokens.min(self.rates.context);
        if terms.hour {
            Tokens { write_1h: tokens, ..Tokens::default() }
        } else {
            Tokens { write_5m: tokens, ..Tokens::default() }
        }
    }

    /// How many tokens of an answer can be bought, after such a prompt.
    pub fn output_for(&self, terms: Terms, prompt: Tokens, money: Nanos) -> u64 {
        let left = money.minus(self.cost(terms, prompt));
        let rate = u128::from(self.rates_for(prompt.prompt()).output) * u128::from(terms.speed) * u128::from(terms.geo);
        let tokens = (u128::from(left.0) * 1_000_000).checked_div(rate).unwrap_or(u128::MAX);
        u64::try_from(tokens).unwrap_or(u64::MAX)
    }

    fn rates_for(&self, prompt: u64) -> PerToken {
        match self.rates.over {
            Some((limit, rates)) if prompt > limit => rates,
            _ => self.rates.base,
        }
    }
}

impl Terms {
    /// Tokens with all that was written to the cache told apart.
    pub fn split(self, tokens: Tokens) -> Tokens {
        tokens.split(self.hour)
    }

    /// What the answer says counts, where it says something that has a price.
    fn as_used(self, price: &Price, usage: &Usage) -> Self {
        let factor = |known: &BTreeMap<String, u64>, usual: &str, name: &Option<String>, asked: u64| match name {
            Some(name) if name == usual => 1_000,
            Some(name) => known.get(name).copied().unwrap_or(asked),
            None => asked,
        };
        let speed = factor(&price.rates.speed, "standard", &usage.speed, self.speed);
        let geo = factor(&price.rates.geo, "global", &usage.geo, self.geo);
        Self { speed, geo, hour: self.hour }
    }
}
