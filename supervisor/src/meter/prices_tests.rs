//! Every price of the table that came with the program, worked out by hand, and what a table may not say.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use matrixos_types::Nanos;
use proptest::prelude::*;

use super::prices::*;
use super::usage::*;

/// Dollars for a million tokens, in the order input, output, write for 5 minutes, write for an hour, read.
type Row = (&'static [&'static str], [&'static str; 5]);

const TABLE: &[Row] = &[
    (&["claude-fable-5-1", "claude-mythos-5-1"], ["10", "50", "12.50", "20", "0.25"]),
    (&["claude-fable-5", "claude-mythos-5"], ["10", "50", "12.50", "20", "1.00"]),
    (&["claude-opus-5-5"], ["4", "20", "5", "8", "0.20"]),
    (
        &["claude-opus-5", "claude-opus-4-8", "claude-opus-4-7", "claude-opus-4-6", "claude-opus-4-5"],
        ["5", "25", "6.25", "10", "0.50"],
    ),
    (&["claude-opus-4-5-20251101"], ["5", "25", "6.25", "10", "0.50"]),
    (&["claude-opus-4-1", "claude-opus-4", "claude-3-opus"], ["15", "75", "18.75", "30", "1.50"]),
    (&["claude-sonnet-5-5"], ["2", "10", "2.50", "4", "0.10"]),
    (&["claude-sonnet-5"], ["2", "10", "2.50", "4", "0.20"]),
    (
        &["claude-sonnet-4-6", "claude-sonnet-4-5", "claude-sonnet-4", "claude-3-7-sonnet", "claude-3-5-sonnet"],
        ["3", "15", "3.75", "6", "0.30"],
    ),
    (&["claude-sonnet-4-5-20250929"], ["3", "15", "3.75", "6", "0.30"]),
    (&["claude-haiku-4-5", "claude-haiku-4-5-20251001"], ["1", "5", "1.25", "2", "0.10"]),
    (&["claude-3-5-haiku"], ["0.80", "4", "1", "1.60", "0.08"]),
    (&["claude-3-haiku"], ["0.25", "1.25", "0.30", "0.50", "0.03"]),
];

/// 2026-11-28.
fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_824_000)
}

fn price(model: &str, at: SystemTime) -> Price {
    Prices::shipped().price(model, at).unwrap_or_else(|| panic!("{model} has no price"))
}

fn plain(price: &Price) -> Terms {
    price.terms(None, None, false).expect("nothing is asked for")
}

fn each(count: u64) -> [Tokens; 5] {
    let none = Tokens::default();
    [
        Tokens { input: count, ..none },
        Tokens { output: count, ..none },
        Tokens { write_5m: count, ..none },
        Tokens { write_1h: count, ..none },
        Tokens { read: count, ..none },
    ]
}

fn assert_rates(model: &str, at: SystemTime, count: u64, rates: [&str; 5]) {
    let price = price(model, at);
    for (tokens, dollars) in each(count).into_iter().zip(rates) {
        let million = Nanos::parse(dollars).expect("dollars").0;
        assert_eq!(price.cost(plain(&price), tokens).0, million / 1_000_000 * count, "{model}: {tokens:?}");
    }
}

#[test]
fn every_model_costs_to_the_nano_dollar_what_the_table_says() {
    for (models, rates) in TABLE {
        for model in *models {
            for count in [1, 99_999, 1_000_000] {
                assert_rates(model, now(), count, *rates);
            }
        }
    }
    // 1,000 in, 500 out, 2,000 written for 5 minutes, 300 for an hour, 40,000 read, 2 searches, on Sonnet 5.5:
    // 2,000,000 + 5,000,000 + 5,000,000 + 1,200,000 + 4,000,000 + 20,000,000 nano-dollars.
    let tokens = Tokens { input: 1_000, output: 500, write_5m: 2_000, write_1h: 300, read: 40_000, write_unsplit: 0 };
    let (prices, price) = (Prices::shipped(), price("claude-sonnet-5-5", now()));
    let usage = Usage { tokens, searches: 2, ..Usage::default() };
    assert_eq!(prices.cost(&price, plain(&price), &usage, now()), Nanos(37_200_000));
}

#[test]
fn a_long_prompt_changes_the_price_of_all_tokens_of_haiku() {
    let low = ["0.10", "0.50", "0.125", "0.20", "0.01"];
    let high = ["0.50", "2.50", "0.625", "1.00", "0.05"];
    assert_rates("claude-haiku-5-5", now(), 100_000, low);
    let price = price("claude-haiku-5-5", now());
    let cost = |tokens| price.cost(plain(&price), tokens).0;
    for (tokens, dollars) in each(100_001).into_iter().zip(high) {
        let rate = Nanos::parse(dollars).expect("dollars").0 / 1_000_000;
        let expected = if tokens.output > 0 { 500 * 100_001 } else { rate * 100_001 };
        assert_eq!(cost(tokens), expected, "{tokens:?}: an answer is no prompt");
    }
    // What comes from the cache or goes there belongs to the prompt.
    let at = |read| Tokens { input: 1, output: 10, write_5m: 50_000, write_1h: 9, read, ..Tokens::default() };
    assert_eq!(cost(at(49_990)), 100 + 5_000 + 50_000 * 125 + 9 * 200 + 49_990 * 10);
    assert_eq!(cost(at(49_991)), 500 + 25_000 + 50_000 * 625 + 9 * 1_000 + 49_991 * 50);
}

#[test]
fn a_price_changes_at_midnight_of_its_day() {
    let midnight = UNIX_EPOCH + Duration::from_secs(20_733 * 86_400);
    let before = midnight - Duration::from_secs(1);
    assert_rates("claude-sonnet-5-5", before, 1_000, ["2", "10", "2.50", "4", "0.20"]);
    assert_rates("claude-sonnet-5-5", midnight, 1_000, ["2", "10", "2.50", "4", "0.10"]);
    assert_rates("claude-sonnet-5", midnight, 1_000, ["2", "10", "2.50", "4", "0.20"]);
}

#[test]
fn speed_and_place_have_their_price_where_the_provider_has_one() {
    let tokens = Tokens { input: 1_000, output: 100, read: 7, ..Tokens::default() };
    let cost = |model: &str, speed: Option<&str>, geo: Option<&str>| {
        let price = price(model, now());
        price.terms(speed, geo, false).map(|terms| price.cost(terms, tokens).0)
    };
    // Opus 4.6: 1,000 x 5,000 + 100 x 25,000 + 7 x 500.
    assert_eq!(cost("claude-opus-4-6", None, None), Ok(7_503_500));
    assert_eq!(cost("claude-opus-4-6", Some("standard"), Some("global")), Ok(7_503_500));
    assert_eq!(cost("claude-opus-4-6", Some("fast"), None), Ok(6 * 7_503_500));
    assert_eq!(cost("claude-opus-4-6", Some("fast"), Some("us")), Ok(49_523_100));
    for model in ["claude-opus-4-8", "claude-opus-5"] {
        assert_eq!(cost(model, Some("fast"), None), Ok(2 * 7_503_500));
    }
    assert_eq!(cost("claude-opus-5-5", Some("fast"), None), Ok(2 * 6_001_400));
    // 10 tokens of Haiku 5.5 read from the cache cost 10 nano-dollars each, 11 in the US.
    for (model, us) in [("claude-sonnet-4-6", true), ("claude-haiku-5-5", true), ("claude-sonnet-4-5", false)] {
        assert_eq!(cost(model, None, Some("us")).is_ok(), us, "{model}");
    }
    assert_eq!(cost("claude-sonnet-5", Some("fast"), None), Err("speed fast with claude-sonnet-5".to_owned()));
    assert_eq!(cost("claude-opus-5", Some("turbo"), None), Err("speed turbo with claude-opus-5".to_owned()));
    assert_eq!(cost("claude-opus-5", None, Some("mars")), Err("inference_geo mars with claude-opus-5".to_owned()));
}

#[test]
fn what_the_answer_says_about_speed_and_place_counts() {
    let (prices, price) = (Prices::shipped(), price("claude-opus-5-5", now()));
    let cost = |asked: Option<&str>, used: Option<&str>| {
        let terms = price.terms(asked, None, false).expect("known");
        let tokens = Tokens { output: 10, ..Tokens::default() };
        let usage = Usage { tokens, speed: used.map(str::to_owned), ..Usage::default() };
        prices.cost(&price, terms, &usage, now()).0
    };
    assert_eq!(cost(Some("fast"), None), 400_000);
    assert_eq!(cost(Some("fast"), Some("standard")), 200_000);
    assert_eq!(cost(None, Some("fast")), 400_000);
    assert_eq!(cost(Some("fast"), Some("whatever")), 400_000);
}

#[test]
fn passes_are_priced_by_their_own_model_and_what_they_leave_out_is_not_free() {
    let (prices, price) = (Prices::shipped(), price("claude-haiku-4-5", now()));
    let tokens = Tokens { input: 100, output: 10, ..Tokens::default() };
    let cost = |models: &[Option<&str>]| {
        let parts = models.iter().map(|model| Part { model: model.map(str::to_owned), tokens }).collect();
        prices.cost(&price, plain(&price), &Usage { tokens, parts, ..Usage::default() }, now()).0
    };
    assert_eq!(cost(&[]), 150_000);
    assert_eq!(cost(&[None, None]), 300_000);
    assert_eq!(cost(&[None, Some("claude-opus-5-5")]), 150_000 + 600_000);
    assert_eq!(cost(&[Some("claude-haiku-5-5")]), 15_000, "as the model that did all of it");
    let half = Part { model: Some("claude-haiku-5-5".to_owned()), tokens: Tokens { output: 5, ..tokens } };
    let usage = Usage { tokens, parts: vec![half], ..Usage::default() };
    assert_eq!(prices.cost(&price, plain(&price), &usage, now()).0, 150_000, "they do not account for the whole");
    assert_eq!(cost(&[Some("claude-next-9")]), 100 * 15_000 + 10 * 75_000, "as the dearest that is known");
}

#[test]
fn names_are_exact_and_what_has_no_price_is_unknown() {
    let prices = Prices::shipped();
    for unknown in ["claude-fable-5-2", "claude-mythos-5-2", "Claude-Opus-5", "claude-opus-5 ", "claude", "", "gpt-9"] {
        assert!(prices.price(unknown, now()).is_none(), "{unknown}");
    }
    let models = prices.models(now());
    assert_eq!(models.len(), 24);
    assert!(models.iter().all(|model| prices.price(model, now()).is_some()));
}

#[test]
fn a_table_that_could_be_misread_is_refused() {
    let table = |row: &str| {
        format!(
            "context = 9\nweb_search = \"0.01\"\n[[price]]\nmodels = [\"m\"]\n{row}\noutput = \"1\"\nwrite_5m = \"1\"\nwrite_1h = \"1\"\nread = \"1\""
        )
    };
    assert!(Prices::parse(&table("input = \"1\"")).is_ok());
    for (row, says) in [
        ("input = 1", "invalid type"),
        ("input = 1.5", "invalid type"),
        ("input = \"-1\"", "no amount"),
        ("input = \"0\"", "nothing is free"),
        ("input = \"0.0000001\"", "no whole number"),
        ("", "missing field `input`"),
        ("input = \"1\"\ninputs = \"1\"", "unknown field"),
        ("input = \"1\"\ngeo = { us = \"0.5\" }", "less than 1"),
        ("input = \"1\"\nspeed = { fast = \"1.0001\" }", "three decimals"),
        ("input = \"1\"\nfrom = 2026-10-07T10:00:00Z", "no day"),
        ("input = \"1\"\nover = { tokens = 5 }", "missing field"),
    ] {
        let error = Prices::parse(&table(row)).expect_err(row).to_string();
        assert!(error.contains(says), "{row}: {error}");
    }
    let row = table("input = \"1\"");
    let twice = format!("{row}\n{}", &row[row.find("[[").expect("a row")..]);
    let bad_name = row.replace("\"m\"", "\"=m\"");
    let alias = row.replace("[[", "[aliases]\na = \"b\"\n[[");
    for (text, says) in [(twice.as_str(), "two rows"), (&bad_name, "no name"), (&alias, "the alias a"), ("", "missing")]
    {
        let error = Prices::parse(text).expect_err(text).to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
    assert!(matches!(Prices::load("/nowhere/prices.toml".as_ref()), Err(PricesError::Read { .. })));
}

fn tokens() -> impl Strategy<Value = Tokens> {
    let count = prop_oneof![0..10u64, 0..2_000_000u64, Just(u64::MAX)];
    prop::array::uniform6(count).prop_map(|[input, output, write_5m, write_1h, write_unsplit, read]| Tokens {
        input,
        output,
        write_5m,
        write_1h,
        write_unsplit,
        read,
    })
}

proptest! {
    #[test]
    fn more_tokens_never_cost_less(a in tokens(), b in tokens(), model in 0usize..24, hour in any::<bool>()) {
        let prices = Prices::shipped();
        let price = price(&prices.models(now())[model], now());
        let terms = price.terms(None, None, hour).expect("known");
        prop_assert!(price.cost(terms, a.plus(b)) >= price.cost(terms, a));
    }

    #[test]
    fn what_money_buys_it_pays_for(prompt in 0u64..300_000, money in 0u64..5_000_000_000, model in 0usize..24) {
        let price = price(&Prices::shipped().models(now())[model], now());
        let terms = plain(&price);
        let prompt = price.prompt_at_most(terms, prompt);
        let output = price.output_for(terms, prompt, Nanos(money));
        let cost = |output| price.cost(terms, Tokens { output, ..prompt });
        prop_assert!(output == 0 || cost(output) <= Nanos(money));
        prop_assert!(cost(output + 1) > Nanos(money));
    }

    #[test]
    fn no_text_panics(text in "[a-z=\\[\\]\"0-9.\n ]{0,80}") {
        let _ = Prices::parse(&text);
    }
}
