//! What a person and the administrators can read about money.

use matrixos_store::{Row, Spending};
use matrixos_types::Nanos;

use super::days;

/// How an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What may be spent in all.
    pub quota: Nanos,
    /// What was spent.
    pub spent: Nanos,
    /// What calls in flight may cost.
    pub held: Nanos,
    /// What calls with the person's own key would have cost.
    pub own: Nanos,
    /// Calls in flight.
    pub in_flight: u32,
}

impl Standing {
    /// What is not spent.
    pub fn remaining(&self) -> Nanos {
        self.quota.minus(self.spent)
    }
}

/// How an account stands, and what it used by day and model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageReport {
    /// How it stands.
    pub standing: Standing,
    /// What it used, oldest day first. [`days::date`] writes a day.
    pub days: Vec<Spending>,
}

/// The first line of a table of calls, for [`csv_line`].
pub const CSV_HEADER: &str = "number,unix_seconds,day,model,input_tokens,output_tokens,cache_write_5m_tokens,\
                              cache_write_1h_tokens,cache_read_tokens,web_searches,usd,known,own_key\r\n";

/// A row of the ledger as a line of a table (RFC 4180). Names of models are those of the table of prices: no quotes, no
/// commas, nothing that a spreadsheet takes for a formula.
pub fn csv_line(row: &Row) -> String {
    let Row { number, call: c, .. } = row;
    let day = days::date(u32::try_from(c.at / 86_400).unwrap_or(u32::MAX));
    let tokens = [c.input, c.output, c.write_5m, c.write_1h, c.read, c.searches].map(|n| n.to_string()).join(",");
    format!(
        "{number},{at},{day},{model},{tokens},{usd},{known},{own}\r\n",
        at = c.at,
        model = c.model,
        usd = c.cost.exact(),
        known = c.how.as_str(),
        own = c.own,
    )
}
