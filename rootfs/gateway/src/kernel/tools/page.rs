//! The text of an HTML page, without a parser's exactness: tags go, what is not text goes with its content.

/// Elements whose content is no text for people.
const SILENT: &[&str] = &["script", "style", "noscript", "svg", "template", "iframe", "head"];
/// Elements that stand on lines of their own.
const BLOCKS: &[&str] = &[
    "p",
    "div",
    "br",
    "li",
    "ul",
    "ol",
    "tr",
    "table",
    "section",
    "article",
    "header",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "pre",
    "blockquote",
    "main",
    "nav",
    "aside",
    "dt",
    "dd",
    "hr",
    "form",
];

/// Makes a page readable.
pub(super) fn readable(html: &str) -> String {
    let mut text = String::with_capacity(html.len() / 2);
    if let Some(title) = between(html, "<title", "</title").and_then(|rest| rest.split_once('>')) {
        text.push_str(&format!("{}\n\n", title.1.trim()));
    }
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        text.push_str(&rest[..open]);
        rest = after_tag(&rest[open..], &mut text);
    }
    text.push_str(rest);
    tidy(&decoded(&text))
}

/// Passes over the tag that `rest` begins with, and over the content of a silent element.
fn after_tag<'a>(rest: &'a str, text: &mut String) -> &'a str {
    if let Some(comment) = rest.strip_prefix("<!--") {
        return comment.split_once("-->").map_or("", |(_, after)| after);
    }
    let Some((tag, after)) = rest[1..].split_once('>') else { return "" };
    let closing = tag.starts_with('/');
    let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
    let name = name.to_ascii_lowercase();
    if SILENT.contains(&name.as_str()) && !closing && !tag.ends_with('/') {
        return after_end(after, &name);
    }
    if BLOCKS.contains(&name.as_str()) {
        text.push('\n');
        if name == "li" && !closing {
            text.push_str("- ");
        }
    }
    after
}

/// What follows the end of an element.
fn after_end<'a>(rest: &'a str, name: &str) -> &'a str {
    let mut from = 0;
    while let Some(found) = rest[from..].find("</") {
        let place = from + found + 2;
        if rest.get(place..place + name.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(name)) {
            return rest[place..].split_once('>').map_or("", |(_, after)| after);
        }
        from = place;
    }
    ""
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let begin = text.find(start)? + start.len();
    text[begin..].split_once(end).map(|(inside, _)| inside)
}

/// The entities that people meet.
fn decoded(text: &str) -> String {
    [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&apos;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (entity, letter)| text.replace(entity, letter))
}

/// One space between words, at most one empty line between paragraphs.
fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let mut empty = true;
    for line in text.lines() {
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() && empty {
            continue;
        }
        empty = line.is_empty();
        tidy.push_str(&line);
        tidy.push('\n');
    }
    tidy.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_page_the_text_stays() {
        let html = "<html><head><title>News</title><style>x{}</style></head><body><!-- no --><h1>To&amp;day</h1>\
            <script>if (a < b) alert('</p>')</script><p>One  <b>two</b></p><ul><li>three<li>four</ul></body>";
        assert_eq!(readable(html), "News\n\nTo&day\n\nOne two\n\n- three\n- four");
    }

    #[test]
    fn broken_pages_are_survived() {
        for html in ["<", "<!--", "<script>", "a<b", "<ü>ö</ü", "<script></scrip", "<title", "</", &"<".repeat(10_000)]
        {
            let _ = readable(html);
        }
    }
}
