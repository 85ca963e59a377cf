//! Money for AI calls: what they cost, who may still spend what, and what was spent.
//!
//! Before a call the meter puts money on hold (a [`Reservation`], which is on the disk before the provider sees a byte):
//! the most that the prompt can cost, and a lease of some tokens of the answer. While the answer flows the lease grows;
//! at its end the call is charged what it really cost. A call that ends in no proper way is charged what it held.

mod clerk;
mod days;
mod engine;
mod events;
mod notice;
mod price_file;
mod prices;
#[cfg(test)]
mod prices_tests;
mod reader;
#[cfg(test)]
mod reader_tests;
mod report;
mod reservation;
mod usage;

pub use days::{date, day};
pub use engine::{Call, Meter, Refused, Settings};
pub use notice::{Level, Notice};
pub use prices::{Price, Prices, PricesError, Terms};
pub use reader::UsageReader;
pub use report::{CSV_HEADER, Standing, UsageReport, csv_line};
pub use reservation::{Charge, Charging, OutOfBudget, Reservation};
pub use usage::{Ending, Part, Settled, Text, Tokens, Usage};
