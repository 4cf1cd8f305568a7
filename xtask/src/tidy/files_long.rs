//! A source file is short enough to be read in one go; `xtask/long-files.txt` lists those that are not, and they only shrink.

use std::collections::BTreeMap;

use crate::tree::Tree;

use super::counted;

const LIST: &str = "xtask/long-files.txt";

/// The most lines of a source file.
const LINES_MAX: usize = 700;

/// Names each source that is too long or has outgrown its line in the list, and each line that is no longer needed.
#[must_use]
pub fn check(tree: &Tree) -> Vec<String> {
    let listed: BTreeMap<&str, usize> = match counted(tree, LIST) {
        Ok(rows) => rows.into_iter().collect(),
        Err(error) => return vec![error],
    };
    let mut findings = Vec::new();
    for (path, text) in tree.sources() {
        let lines = text.lines().count();
        let lines_max = listed.get(path).copied().unwrap_or(LINES_MAX);
        if lines > lines_max {
            findings.push(format!("{path}: {lines} lines, at most {lines_max}"));
        }
    }
    for (path, lines_max) in listed {
        let lines = tree.text(path).map_or(0, |text| text.lines().count());
        if lines <= LINES_MAX {
            findings.push(format!("{LIST}: `{path}` is short enough now, take it off"));
        } else if lines < lines_max {
            findings.push(format!("{LIST}: `{path}` has shrunk to {lines}, say so"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_found() {
        let path = "crates/a/src/lib.rs";
        for (lines, list, expected) in [
            (700, "", 0),
            (701, "", 1),
            (701, "crates/a/src/lib.rs: 701\n", 0),
            (702, "crates/a/src/lib.rs: 701\n", 1),
            (701, "crates/a/src/lib.rs: 900\n", 1),
            (700, "crates/a/src/lib.rs: 701\n", 1),
            (1, "crates/a/src/gone.rs: 701\n", 1),
        ] {
            let tree = Tree::of(&[(path, &"x\n".repeat(lines)), (LIST, list)]);
            assert_eq!(check(&tree).len(), expected, "{lines} {list}");
        }
        assert_eq!(
            check(&Tree::of(&[
                ("crates/a/tests/x.rs", &"x\n".repeat(999)),
                (LIST, "")
            ]))
            .len(),
            0
        );
        assert_eq!(check(&Tree::default()).len(), 1);
    }
}
