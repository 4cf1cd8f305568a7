//! No path of one machine in any file, and no module named after nothing.

use crate::tree::Tree;

use super::code;

/// Folders of a machine, with which no path in the tree may begin. Written in halves, so that this file is clean.
const MACHINE: &[&str] = &[
    concat!("/", "work"),
    concat!("/", "root"),
    concat!("/", "home"),
    concat!("/", "farm"),
];

/// Names that say nothing about what is inside.
const NOUNS: &[&str] = &[
    "common", "handler", "handlers", "helper", "helpers", "manager", "managers", "models",
    "service", "services", "util", "utils",
];

/// Names each line with a machine's path and each module with such a name.
#[must_use]
pub fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.files() {
        for (at, line) in (1..).zip(text.lines()) {
            let found = MACHINE.iter().filter(|folder| has_path(line, folder));
            findings.extend(
                found.map(|folder| format!("{path}:{at}: `{folder}` is a path of one machine")),
            );
        }
    }
    for (path, text) in tree.rust() {
        if let Some(name) = path
            .trim_end_matches(".rs")
            .split('/')
            .find(|part| NOUNS.contains(part))
        {
            findings.push(format!("{path}: `{name}` does not say what is inside"));
        }
        for (at, line) in (1..).zip(text.lines()) {
            if let Some(name) = inline_module(line).filter(|name| NOUNS.contains(name)) {
                findings.push(format!("{path}:{at}: `{name}` does not say what is inside"));
            }
        }
    }
    findings
}

/// Whether a path in `line` begins with `folder`: nothing of a path before it, nothing of a name behind it.
fn has_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let inner = |character: char| character.is_alphanumeric() || "_-.~}".contains(character);
        let before = &line[..at];
        !before.ends_with(inner)
            && !before.ends_with(|character: char| character == '/' && !before.ends_with("file://"))
            && !line[at + folder.len()..].starts_with(|character: char| {
                character.is_alphanumeric() || "_-".contains(character)
            })
    })
}

/// The name of a module whose body is here: `mod name {`.
fn inline_module(line: &str) -> Option<&str> {
    let words: Vec<&str> = code(line).split_whitespace().collect();
    match words.as_slice() {
        ["mod", name, "{", ..] | [_, "mod", name, "{", ..] => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_paths_are_found() {
        let [work, root, home, farm] = [0, 1, 2, 3].map(|index| MACHINE[index]);
        for (line, expected) in [
            (format!("see {work}/main/x"), 1),
            (format!("`{root}`"), 1),
            (format!("\"{home}/someone\""), 1),
            (format!("file://{farm}/x"), 1),
            (format!("{work} and {root}"), 2),
            (format!("GET {work}space"), 0),
            (format!("docs{work}/x"), 0),
            (format!("https://example.org{home}/x"), 0),
            ("workspace root/home".to_owned(), 0),
        ] {
            assert_eq!(
                check(&Tree::of(&[("notes.md", &line)])).len(),
                expected,
                "{line}"
            );
        }
    }

    #[test]
    fn empty_names_are_found() {
        for (path, text, expected) in [
            ("crates/a/src/common.rs", "", 1),
            ("crates/a/src/utils/money.rs", "", 1),
            ("crates/a/src/money.rs", "pub mod helpers {", 1),
            ("crates/a/src/money.rs", "mod service { }", 1),
            ("crates/a/src/money.rs", "mod money {", 0),
            ("crates/a/tests/all/common.rs", "", 1),
        ] {
            assert_eq!(
                check(&Tree::of(&[(path, text)])).len(),
                expected,
                "{path} {text}"
            );
        }
    }
}
