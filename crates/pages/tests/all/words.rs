//! Every visible word in both languages: no page says a word of the other one.

use crate::spoken::strangers;
use crate::{cardholder, console, lab, merchant, people, till};
use pages::Lang;

/// Names that are no words: ours, and those of the fixtures.
const NAMES: [&str; 6] = ["存根", "幸福里超市", "幸福里", "茶", "牛奶", "Counterfoil"];

#[test]
fn no_page_says_a_word_of_the_other_language() {
    for lang in Lang::ALL {
        let pages = [
            console::all(lang),
            merchant::all(lang, true),
            merchant::all(lang, false),
            people::every_page(lang)
                .into_iter()
                .map(|(_, page)| page)
                .collect(),
            till::pages_of(lang),
            cardholder::all(lang),
            lab::all(lang),
        ];
        for page in pages.iter().flatten() {
            let found = strangers(page, lang == Lang::En, &NAMES);
            assert_eq!(found, Vec::<String>::new(), "{lang:?}");
        }
    }
}
