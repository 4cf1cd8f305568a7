//! The rules of the tree, each a function from the tree to what breaks it: a rule that matters is a test, not a plea.

pub mod dependencies;
pub mod exposed;
pub mod files_long;
pub mod modules;
pub mod picture;
pub mod primitives;
pub mod purity;
pub mod words;

use crate::generated;
use crate::tree::Tree;

/// One rule: its name, and what breaks it, one finding per line, each with its path first.
pub type Rule = (&'static str, fn(&Tree) -> Vec<String>);

/// All rules.
pub const RULES: &[Rule] = &[
    ("dependencies", dependencies::check),
    ("picture", picture::check),
    ("modules", modules::check),
    ("exposed", exposed::check),
    ("primitives", primitives::check),
    ("purity", purity::check),
    ("words", words::check),
    ("files_long", files_long::check),
    ("generated", |tree| generated::check(tree, generated::PAGES)),
];

/// Checks every rule and says of each whether it holds.
#[must_use]
pub fn run(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, check) in RULES {
        let broken = check(tree);
        println!(
            "{name}: {}",
            if broken.is_empty() { "holds" } else { "broken" }
        );
        findings.extend(broken);
    }
    findings
}

/// The lines of a list file that mean something: `path: number`, without comments.
fn counted<'a>(tree: &'a Tree, list: &str) -> Result<Vec<(&'a str, usize)>, String> {
    let text = tree.text(list).ok_or_else(|| format!("{list}: missing"))?;
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (path, count) = line
                .split_once(": ")
                .ok_or_else(|| format!("{list}: not `path: number`: {line}"))?;
            let count = count
                .parse()
                .map_err(|_| format!("{list}: not `path: number`: {line}"))?;
            Ok((path, count))
        })
        .collect()
}

/// Whether `text` has `word` between characters that are no part of a word.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let inner = |character: char| character.is_alphanumeric() || character == '_';
        !text[..at].ends_with(inner) && !text[at + word.len()..].starts_with(inner)
    })
}

/// A line without its comment; a `//` inside a string ends it too, which only makes a rule milder.
fn code(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_code() {
        assert!(has_word("let x: f64 = 1", "f64"));
        assert!(!has_word("af64 f64_x f640", "f64"));
        assert_eq!(code("x // f64"), "x ");
        assert_eq!(
            counted(&Tree::of(&[("l", "# why\n\na: 3\n")]), "l"),
            Ok(vec![("a", 3)])
        );
        assert!(counted(&Tree::of(&[("l", "a 3\n")]), "l").is_err());
        assert!(counted(&Tree::of(&[("l", "a: b\n")]), "l").is_err());
        assert!(counted(&Tree::default(), "l").is_err());
    }
}
