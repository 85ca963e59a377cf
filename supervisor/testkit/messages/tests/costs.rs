//! The costs in the scripts' heads were worked out by hand; here they are worked out once more, from the usage that the
//! scripts hold and a price list of this test's own.

use matrixos_messages::{Content, Cost, Script};
use serde_json::Value;

/// Nano-dollars for a token: in, out, written for five minutes, written for an hour, read.
type Prices = [u128; 5];

fn prices(model: &str, prompt: u128) -> Prices {
    match model {
        "claude-fable-5-1" => [10_000, 50_000, 12_500, 20_000, 250],
        "claude-opus-5-5" => [4_000, 20_000, 5_000, 8_000, 200],
        "claude-sonnet-5-5" => [2_000, 10_000, 2_500, 4_000, 100],
        "claude-haiku-5-5" if prompt <= 100_000 => [100, 500, 125, 200, 10],
        "claude-haiku-5-5" => [500, 2_500, 625, 1_000, 50],
        other => panic!("no price for {other}"),
    }
}

fn data(text: &str) -> impl Iterator<Item = Value> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
    lines.map(|line| serde_json::from_str(&line.replace("{{tokens}}", "2000")).expect("JSON"))
}

/// The newest value of each field, in a stream or in a document.
fn usage(script: &Script) -> Value {
    let text = match &script.content {
        Content::Document(text) => return serde_json::from_str::<Value>(text).expect("JSON")["usage"].clone(),
        Content::Events(text) => text,
    };
    let mut newest = Value::Null;
    for event in data(text) {
        if event["type"] == "message_start" {
            newest = event["message"]["usage"].clone();
        }
        for (key, value) in event["usage"].as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
            newest[key] = value.clone();
        }
    }
    newest
}

fn price(model: &str, usage: &Value) -> u128 {
    let number = |value: &Value| u128::from(value.as_u64().unwrap_or(0));
    let read = number(&usage["cache_read_input_tokens"]);
    let split = &usage["cache_creation"];
    let five = number(&split["ephemeral_5m_input_tokens"]);
    let hour = number(&split["ephemeral_1h_input_tokens"]);
    let input = number(&usage["input_tokens"]);
    let [of_input, of_output, of_five, of_hour, of_read] = prices(model, input + five + hour + read);
    input * of_input + number(&usage["output_tokens"]) * of_output + five * of_five + hour * of_hour + read * of_read
}

fn cost(script: &Script) -> u128 {
    let (usage, model) = (usage(script), script.model.as_deref().expect("a model"));
    let tokens = match usage["iterations"].as_array() {
        Some(all) => all.iter().map(|one| price(one["model"].as_str().unwrap_or(model), one)).sum(),
        None => price(model, &usage),
    };
    let searches = u128::from(usage["server_tool_use"]["web_search_requests"].as_u64().unwrap_or(0)) * 10_000_000;
    let fast = if usage["speed"] == "fast" { 2 } else { 1 };
    let near = if usage["inference_geo"] == "us" { 11 } else { 10 };
    tokens * fast * near / 10 + searches
}

#[test]
fn costs_worked_out_by_hand_are_right() {
    let priced = |script: &Script| script.way.status == 200;
    let mut seen = 0;
    for script in Script::all().into_iter().filter(priced) {
        if let Cost::Exactly(nano) = script.cost {
            assert_eq!(cost(&script), u128::from(nano), "{}", script.name);
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} scripts say what they cost");
}

#[test]
fn errors_cost_nothing() {
    for script in Script::all().into_iter().filter(|script| script.way.status != 200) {
        assert_eq!(script.cost, Cost::Exactly(0), "{}", script.name);
    }
}

#[test]
fn what_is_cut_costs_at_least_what_its_start_says() {
    for script in Script::all() {
        let (Cost::AtLeast(nano), Content::Events(text)) = (script.cost, &script.content) else { continue };
        let start = data(text).next().expect("a first event");
        let model = script.model.as_deref().expect("a model");
        assert_eq!(price(model, &start["message"]["usage"]), u128::from(nano), "{}", script.name);
    }
}
