//! Where clear values of secrets are taken out is a short list, `xtask/exposed.txt`, and the code agrees with it.

use std::collections::BTreeMap;

use crate::tree::Tree;

use super::{code, counted};

const LIST: &str = "xtask/exposed.txt";

/// What takes a clear value out of its type.
const CALLS: &[&str] = &[".expose(", "::expose(", ".open_pan(", "::open_pan("];

/// Names each source outside `crypto` whose number of such calls differs from the list.
#[must_use]
pub fn check(tree: &Tree) -> Vec<String> {
    let listed: BTreeMap<&str, usize> = match counted(tree, LIST) {
        Ok(rows) => rows.into_iter().collect(),
        Err(error) => return vec![error],
    };
    let sources = tree
        .sources()
        .filter(|(path, _)| !path.starts_with("crates/crypto/") && !path.starts_with("xtask/"));
    let found: BTreeMap<&str, usize> = sources
        .map(|(path, text)| (path, calls(text)))
        .filter(|row| row.1 > 0)
        .collect();
    let paths = listed
        .keys()
        .chain(found.keys().filter(|path| !listed.contains_key(*path)));
    paths
        .filter(|path| listed.get(*path) != found.get(*path))
        .map(|path| {
            let [listed, found] = [&listed, &found].map(|rows| rows.get(path).copied().unwrap_or(0));
            format!("{path}: takes out {found} clear values, {LIST} says {listed}; if it must be, say `{path}: {found}`")
        })
        .collect()
}

fn calls(text: &str) -> usize {
    text.lines()
        .map(|line| {
            CALLS
                .iter()
                .map(|call| code(line).matches(call).count())
                .sum::<usize>()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_outside_the_list_is_found() {
        let source =
            "pan.expose();\n// pan.expose()\nPan::expose(&pan); module.open_pan(&sealed)?;\n";
        for (path, list, expected) in [
            ("crates/issuer/src/a.rs", "crates/issuer/src/a.rs: 3\n", 0),
            (
                "crates/issuer/src/a.rs",
                "# why\ncrates/issuer/src/a.rs: 2\n",
                1,
            ),
            ("crates/issuer/src/a.rs", "", 1),
            (
                "crates/issuer/src/a.rs",
                "crates/issuer/src/a.rs: 3\ncrates/issuer/src/gone.rs: 1\n",
                1,
            ),
            ("crates/crypto/src/a.rs", "", 0),
            ("crates/issuer/tests/all/main.rs", "", 0),
        ] {
            assert_eq!(
                check(&Tree::of(&[(path, source), (LIST, list)])).len(),
                expected,
                "{path} {list}"
            );
        }
        assert_eq!(check(&Tree::default()), ["xtask/exposed.txt: missing"]);
    }
}
