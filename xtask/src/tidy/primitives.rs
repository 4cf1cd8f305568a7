//! Raw cryptography of `crypto`'s feature `vectors` is named by the command that checks vectors and by what the token does for
//! it, and by nothing else that ships.

use crate::tree::Tree;

use super::{code, has_word};

/// The command that may.
const COMMAND: &str = "crates/counterfoil/src/command/vectors.rs";

/// The token's part of it.
const TOKEN_ROWS: &str = "crates/counterfoil/src/token/rows.rs";

/// What the feature offers.
const OFFERED: &[&str] = &["crypto::vectors", "test_interface"];

/// Names each line of a source outside `crypto` that reaches for it.
#[must_use]
pub fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.sources() {
        if [COMMAND, TOKEN_ROWS].contains(&path)
            || path.starts_with("crates/crypto/")
            || path.starts_with("xtask/")
        {
            continue;
        }
        for (at, line) in (1..).zip(text.lines()) {
            let offered = OFFERED.iter().any(|name| code(line).contains(name));
            let grouped = has_word(code(line), "vectors") && text.contains("use crypto::{");
            if offered || grouped {
                findings.push(format!(
                    "{path}:{at}: raw cryptography is for {COMMAND} only"
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_cryptography_outside_its_command_is_found() {
        for (path, text, found) in [
            (COMMAND, "use crypto::vectors::run;", 0),
            (TOKEN_ROWS, "use crypto::vectors::RowEngine;", 0),
            (
                "crates/counterfoil/src/token.rs",
                "use crypto::vectors::run;",
                1,
            ),
            ("crates/issuer/src/a.rs", "use crypto::vectors::run;", 1),
            (
                "crates/issuer/src/a.rs",
                "use crypto::{\n    Pan,\n    vectors::run,\n};",
                1,
            ),
            (
                "crates/issuer/src/a.rs",
                "crypto::test_interface::check(a, b);",
                1,
            ),
            ("crates/issuer/src/a.rs", "// use crypto::vectors::run;", 0),
            ("crates/receipt/src/a.rs", "let vectors = 1;", 0),
            (
                "crates/issuer/tests/all/a.rs",
                "use crypto::vectors::run;",
                0,
            ),
            ("crates/crypto/src/lib.rs", "pub mod test_interface;", 0),
        ] {
            assert_eq!(
                check(&Tree::of(&[(path, text)])).len(),
                found,
                "{path} {text}"
            );
        }
    }
}
