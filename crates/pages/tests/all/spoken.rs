//! What a page says to people: its texts and the names of its controls; and what of it is in the wrong language.

/// Attributes that are shown or read aloud.
const READ_ALOUD: [&str; 4] = ["aria-label", "title", "alt", "placeholder"];
/// Elements whose content is data or a drawing of paper, not words of the page.
const DATA: [&str; 5] = ["script", "style", "code", "pre", "kbd"];
/// So many English words in a row are a sentence; fewer may be a name or a unit.
const SENTENCE_WORDS: usize = 4;

/// The texts that are in the other language; `names` are proper names, which stand in any.
pub fn strangers(page: &str, english: bool, names: &[&str]) -> Vec<String> {
    let mut texts = visible(page);
    texts.retain(|text| {
        let text = names
            .iter()
            .fold(text.clone(), |text, name| text.replace(name, ""));
        if english {
            text.contains(is_chinese)
        } else {
            has_sentence(&text)
        }
    });
    texts
}

/// Ideographs and full-width signs; the yen sign of printed slips is both languages'.
pub fn is_chinese(c: char) -> bool {
    let wide = ('\u{2E80}'..='\u{9FFF}').contains(&c) || ('\u{FF00}'..='\u{FFEF}').contains(&c);
    wide && c != '￥'
}

fn has_sentence(text: &str) -> bool {
    let mut run = 0;
    for word in text.split([' ', '\n']) {
        let word = word.trim_end_matches([',', ';', ':', '.', '?', '!']);
        let is_word = !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '\'');
        let capital = word.strip_prefix(|c: char| c.is_ascii_uppercase());
        let begins =
            run == 0 && capital.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_lowercase()));
        run = if is_word || begins { run + 1 } else { 0 };
        if run >= SENTENCE_WORDS {
            return true;
        }
    }
    false
}

/// Every text, and every attribute that is read aloud, in the order of the page. The switch of languages names each in its
/// own, so what says which language it is in is left out.
fn visible(page: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = page;
    while let Some((text, after)) = rest.split_once('<') {
        keep(&mut texts, text);
        let (tag, after) = split_tag(after);
        let name = tag.split([' ', '/', '>']).next().unwrap_or_default();
        for attribute in READ_ALOUD {
            if let Some((_, value)) = tag.split_once(&format!(" {attribute}=\"")) {
                keep(&mut texts, value.split('"').next().unwrap_or_default());
            }
        }
        let other = name != "html" && tag.contains(" lang=\"");
        rest = match (DATA.contains(&name), other) {
            (true, _) => after
                .split_once(&format!("</{name}>"))
                .map_or("", |(_, after)| after),
            (_, true) => after.find('<').map_or("", |at| &after[at..]),
            _ => after,
        };
    }
    keep(&mut texts, rest);
    texts
}

/// A tag, and what follows it; a `>` in an attribute does not end it.
fn split_tag(text: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '>' if !quoted => return (&text[..at], &text[at + 1..]),
            _ => {}
        }
    }
    (text, "")
}

fn keep(texts: &mut Vec<String>, text: &str) {
    let text = text.trim();
    if !text.is_empty() {
        texts.push(text.to_owned());
    }
}

#[test]
fn the_other_language_is_found_where_it_is_shown_and_nowhere_else() {
    let page = "<html lang=\"en\"><title>Till · 存根</title><a lang=\"zh-CN\" href=\"/\">中</a><p title=\"款\">Paid 已付</p>\
        <pre>小票</pre><p>a &gt; b</p>";
    assert_eq!(strangers(page, true, &["存根"]), ["款", "Paid 已付"]);
    for (text, found) in [
        ("This is not translated", true),
        ("Do not deliver, the goods.", true),
        ("p50 · p95 · p99", false),
        ("Tap to Pay", false),
        ("TXN TYPE OF SLIP", false),
    ] {
        assert_eq!(!strangers(text, false, &[]).is_empty(), found, "{text}");
    }
}
