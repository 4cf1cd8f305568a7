//! The pages, rendered from views and read.

mod cardholder;
mod console;
mod fixture;
mod frame;
mod lab;
mod merchant;
mod people;
mod till;

/// An English page has Chinese only in proper names and in the switch of languages.
#[track_caller]
fn speaks_english(page: &str) {
    let proper = page
        .replace("存根", "")
        .replace(">中<", "")
        .replace("幸福里", "");
    let foreign = proper.split('>').find(|text| {
        let shown = text.split('<').next().unwrap_or_default();
        shown.chars().any(|c| {
            ('\u{3000}'..='\u{9FFF}').contains(&c) || ('\u{FF00}'..='\u{FFEF}').contains(&c)
        })
    });
    assert_eq!(foreign, None, "Chinese on an English page");
}
