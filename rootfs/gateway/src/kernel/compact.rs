//! Long conversations: what happened is summed up, so that the next turns stay quick and cheap.

use serde_json::{Value, json};

use super::client::Client;
use super::history::{messages, transcript};
use super::limits::{COMPACT_BYTES, both_ends, cut};
use super::tools;
use crate::config::Agent;
use crate::conversations::lines::{Line, text_of};
use crate::time;

/// Most bytes of the transcript that is summed up.
const TRANSCRIPT: usize = 150_000;
/// The last words stand beside the summary as they were said.
const LAST_WORDS: usize = 8_000;
/// Within one turn: most bytes of all messages; beyond that the oldest results of tools are cut.
const TURN_BYTES: usize = 400_000;

const ASKED: &str = "Sum up this conversation between a person and their AI for the AI itself, in at most 500 words: what \
    the person wants, what was decided, what was done (files, apps, jobs, by name), what is still open. Only the summary.";

/// The line that stands for all of these, if they are too long to be sent again and again.
pub(super) async fn compacted(lines: &[Line], client: &Client, agent: &Agent) -> Option<Line> {
    if messages(lines).iter().map(|m| m.to_string().len()).sum::<usize>() <= COMPACT_BYTES {
        return None;
    }
    let all = transcript(lines);
    let body = json!({
        "model": agent.model, "max_tokens": 2_000, "stream": true, "system": ASKED,
        "messages": [{ "role": "user", "content": both_ends(&all, TRANSCRIPT) }],
    });
    let answer = client.stream(body.to_string().into(), &mut |_| ()).await;
    // Without a summary the first and last words have to do: a conversation never becomes unusable by its length.
    let summary = if answer.result.is_ok() { text_of(&answer.content) } else { all.clone() };
    let summary = cut(&summary, LAST_WORDS);
    let last = &all[all.ceil_char_boundary(all.len().saturating_sub(LAST_WORDS))..];
    let text = format!("{summary}\n\n[The last words]\n{last}");
    Some(Line::Summary { at: time::millis(), text, outside: tools::has_outside(lines) })
}

/// Cuts results of tools, the oldest first, until all messages together are short enough for a call.
pub(super) fn squeeze(messages: &mut [Value]) {
    let mut length: usize = messages.iter().map(|m| m.to_string().len()).sum();
    for message in messages.iter_mut() {
        for block in message["content"].as_array_mut().into_iter().flatten() {
            if length <= TURN_BYTES {
                return;
            }
            if let Some(text) = block["content"].as_str().filter(|text| text.len() > 1_000) {
                let short = format!("{} [shortened]", cut(text, 500));
                length = length.saturating_sub(text.len() - short.len());
                block["content"] = short.into();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_results_are_cut_first_and_only_as_many_as_needed() {
        let result = |n: usize| json!({ "role": "user", "content": [{ "type": "tool_result", "tool_use_id": n, "content": "x".repeat(24_000) }] });
        let mut messages: Vec<Value> = (0..40).map(result).collect();
        squeeze(&mut messages);
        let lengths: Vec<usize> = messages.iter().map(|m| m.to_string().len()).collect();
        assert!(lengths.iter().sum::<usize>() <= TURN_BYTES);
        assert!(lengths[0] < 1_000 && lengths[39] > 24_000 && lengths.iter().filter(|l| **l > 24_000).count() >= 15);
    }
}
