//! Every Rust file says in its first line what it is.

use crate::tree::Tree;

/// Names each Rust file that does not start with `//! ` and a sentence.
#[must_use]
pub fn check(tree: &Tree) -> Vec<String> {
    let silent = tree.rust().filter(|(_, text)| {
        text.strip_prefix("//! ")
            .is_none_or(|rest| rest.trim_start().is_empty())
    });
    silent
        .map(|(path, _)| format!("{path}: does not start with `//!` and what it is"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_file_is_found() {
        for (text, silent) in [
            ("//! What.\n", false),
            ("use a;\n//! What.\n", true),
            ("// What.\n", true),
            ("//!\n", true),
            ("", true),
        ] {
            assert_eq!(
                check(&Tree::of(&[("crates/a/src/lib.rs", text)])).len(),
                usize::from(silent),
                "{text:?}"
            );
        }
        assert_eq!(check(&Tree::of(&[("notes.md", "")])), Vec::<String>::new());
    }
}
