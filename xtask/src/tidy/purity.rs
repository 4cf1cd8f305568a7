//! Pure crates have no clock, thread, environment, randomness, file or socket, nothing of random order, and no floats.
//! Clippy reads the configuration nearest to a crate, so each pure crate carries the same copy of the bans.

use crate::crates::PURE;
use crate::tree::Tree;

use super::{code, has_word};

const BANS: &str = "xtask/pure-clippy.toml";

/// What Clippy's bans cannot name; `(word, what it is)`.
const WORDS: &[(&str, &str)] = &[
    ("f32", "floats"),
    ("f64", "floats"),
    ("print!", "output"),
    ("println!", "output"),
    ("eprint!", "output"),
    ("eprintln!", "output"),
];

/// Names each pure crate without the bans, and each source of it with a word that Clippy cannot ban.
#[must_use]
pub fn check(tree: &Tree) -> Vec<String> {
    let Some(bans) = tree.text(BANS) else {
        return vec![format!("{BANS}: missing")];
    };
    let mut findings = Vec::new();
    for name in PURE {
        let copy = format!("crates/{name}/clippy.toml");
        if tree.text(&copy) != Some(bans) {
            findings.push(format!("{copy}: not the same as {BANS}; copy it"));
        }
        let folder = format!("crates/{name}/src/");
        for (path, text) in tree.sources().filter(|(path, _)| path.starts_with(&folder)) {
            for (at, line) in (1..).zip(text.lines()) {
                let banned = WORDS.iter().filter(|(word, _)| has_word(code(line), word));
                findings.extend(banned.map(|(word, what)| {
                    format!("{path}:{at}: `{word}`: no {what} in a pure crate")
                }));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree in which every pure crate has the bans, and `ledger` has this copy and this source.
    fn findings(copy: &str, source: &str) -> Vec<String> {
        let copies: Vec<_> = PURE
            .iter()
            .map(|name| format!("crates/{name}/clippy.toml"))
            .collect();
        let mut files: Vec<(&str, &str)> =
            copies.iter().map(|path| (path.as_str(), "bans")).collect();
        files.extend([
            (BANS, "bans"),
            ("crates/ledger/clippy.toml", copy),
            ("crates/ledger/src/a.rs", source),
        ]);
        check(&Tree::of(&files))
    }

    #[test]
    fn an_impure_crate_is_found() {
        for (copy, source, expected) in [
            ("bans", "let rate: u64 = 1; // not an f64\n", ""),
            (
                "",
                "",
                "crates/ledger/clippy.toml: not the same as xtask/pure-clippy.toml; copy it",
            ),
            (
                "bans",
                "\nlet rate: f64 = 1.0;\n",
                "crates/ledger/src/a.rs:2: `f64`: no floats in a pure crate",
            ),
            (
                "bans",
                "println!();\n",
                "crates/ledger/src/a.rs:1: `println!`: no output in a pure crate",
            ),
        ] {
            assert_eq!(findings(copy, source).join("\n"), expected);
        }
        assert_eq!(check(&Tree::default()).len(), 1);
    }
}
