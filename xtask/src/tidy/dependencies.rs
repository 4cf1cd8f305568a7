//! Every `Cargo.toml` uses only what its row in the picture allows, and carries the workspace's lints.

use toml::{Table, Value};

use crate::crates::{CRATES, EXTERNAL_IN_TESTS, Row};
use crate::tree::Tree;

/// Names each crate and dependency that the picture does not have.
#[must_use]
pub fn check(tree: &Tree) -> Vec<String> {
    let mut findings = check_root(tree);
    for row in CRATES {
        let path = manifest(row);
        match tree.text(&path) {
            Some(text) => match text.parse::<Table>() {
                Ok(manifest) => findings.extend(check_manifest(&path, row, &manifest)),
                Err(error) => findings.push(format!("{path}: {error}")),
            },
            None => findings.push(format!(
                "{path}: missing, but `{}` is in the picture",
                row.name
            )),
        }
    }
    for (path, _) in tree.files() {
        if let ["crates", name, "Cargo.toml"] = path.split('/').collect::<Vec<_>>().as_slice()
            && !CRATES.iter().any(|row| row.name == *name)
        {
            findings.push(format!(
                "{path}: `{name}` is not in the picture (xtask/src/crates.rs)"
            ));
        }
    }
    findings
}

fn manifest(row: &Row) -> String {
    match row.name {
        "xtask" => "xtask/Cargo.toml".to_owned(),
        name => format!("crates/{name}/Cargo.toml"),
    }
}

/// What the workspace shares comes from the registry or is a crate of ours.
fn check_root(tree: &Tree) -> Vec<String> {
    let Some(text) = tree.text("Cargo.toml") else {
        return vec!["Cargo.toml: missing".to_owned()];
    };
    let root = match text.parse::<Table>() {
        Ok(root) => root,
        Err(error) => return vec![format!("Cargo.toml: {error}")],
    };
    let shared = root
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(Value::as_table);
    let mut findings = Vec::new();
    for (name, value) in shared.into_iter().flatten() {
        let source = Source::of(name, value);
        let expected = internal(name).then(|| format!("crates/{name}"));
        if source.elsewhere || source.path != expected.as_deref() || source.name != name {
            findings.push(format!(
                "Cargo.toml: `{name}` comes from an unexpected place"
            ));
        }
    }
    findings
}

fn check_manifest(path: &str, row: &Row, manifest: &Table) -> Vec<String> {
    let mut findings = Vec::new();
    let lints = manifest
        .get("lints")
        .and_then(|lints| lints.get("workspace"))
        .and_then(Value::as_bool);
    if lints != Some(true) {
        findings.push(format!(
            "{path}: `{}` does not take the workspace's lints",
            row.name
        ));
    }
    let targets = manifest
        .get("target")
        .and_then(Value::as_table)
        .into_iter()
        .flatten();
    let tables = targets
        .filter_map(|(_, table)| table.as_table())
        .chain([manifest]);
    for table in tables {
        for (kind, allowed) in [
            ("dependencies", allowed as fn(&Row, &str) -> bool),
            ("dev-dependencies", allowed_in_tests),
            ("build-dependencies", |_, _| false),
        ] {
            for (name, value) in table
                .get(kind)
                .and_then(Value::as_table)
                .into_iter()
                .flatten()
            {
                let source = Source::of(name, value);
                if !allowed(row, source.name) {
                    findings.push(format!(
                        "{path}: `{}` may not use `{}` ({kind})",
                        row.name, source.name
                    ));
                }
                // The only path is the crate itself, which its tests may take with other features.
                let own = kind == "dev-dependencies"
                    && source.name == row.name
                    && source.path == Some(".");
                if source.elsewhere || (source.path.is_some() && !own) {
                    findings.push(format!(
                        "{path}: `{}` takes `{name}` from an unexpected place",
                        row.name
                    ));
                }
            }
        }
    }
    findings
}

fn allowed(row: &Row, name: &str) -> bool {
    row.internal.contains(&name) || row.external.contains(&name)
}

/// Tests may also use what their crate uses through others, but never another party.
fn allowed_in_tests(row: &Row, name: &str) -> bool {
    let through = |used: &&'static str| {
        CRATES
            .iter()
            .any(|row| row.name == *used && row.internal.contains(&name))
    };
    allowed(row, name)
        || EXTERNAL_IN_TESTS.contains(&name)
        || name == row.name
        || row.internal.iter().any(through)
}

fn internal(name: &str) -> bool {
    CRATES.iter().any(|row| row.name == name)
}

/// Where a dependency comes from.
struct Source<'a> {
    /// The package, whatever the crate calls it.
    name: &'a str,
    path: Option<&'a str>,
    /// From git or from another registry.
    elsewhere: bool,
}

impl<'a> Source<'a> {
    fn of(name: &'a str, value: &'a Value) -> Self {
        let text = |key| value.get(key).and_then(Value::as_str);
        Self {
            name: text("package").unwrap_or(name),
            path: text("path"),
            elsewhere: ["git", "registry", "registry-index"]
                .into_iter()
                .any(|key| value.get(key).is_some()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The findings about `crates/terminal/Cargo.toml` with these lines after its lints.
    fn check_terminal(lines: &str) -> Vec<String> {
        let text = format!("lints.workspace = true\n{lines}");
        let findings = check(&Tree::of(&[("crates/terminal/Cargo.toml", &text)]));
        let own = findings
            .into_iter()
            .filter(|finding| finding.starts_with("crates/terminal/"));
        own.filter_map(|finding| finding.split_once(": ").map(|(_, rest)| rest.to_owned()))
            .collect()
    }

    #[test]
    fn what_the_picture_does_not_have_is_found() {
        for (lines, expected) in [
            (
                "[dependencies]\npayment.workspace = true\nserde = \"1\"",
                "",
            ),
            (
                "[dependencies]\ntokio = \"1\"",
                "`terminal` may not use `tokio` (dependencies)",
            ),
            (
                "[dependencies]\nissuer.workspace = true",
                "`terminal` may not use `issuer` (dependencies)",
            ),
            (
                "[dependencies]\nledger.workspace = true",
                "`terminal` may not use `ledger` (dependencies)",
            ),
            (
                "[dependencies]\nserde = { version = \"1\", package = \"rand\" }",
                "`terminal` may not use `rand` (dependencies)",
            ),
            (
                "[target.'cfg(unix)'.dependencies]\nlibc = \"1\"",
                "`terminal` may not use `libc` (dependencies)",
            ),
            (
                "[dev-dependencies]\nproptest = \"1\"\niso8583.workspace = true",
                "",
            ),
            (
                "[dev-dependencies]\nterminal = { path = \".\", features = [\"planted\"] }",
                "",
            ),
            (
                "[dev-dependencies]\nacquirer.workspace = true",
                "`terminal` may not use `acquirer` (dev-dependencies)",
            ),
            (
                "[dev-dependencies]\ntokio = \"1\"",
                "`terminal` may not use `tokio` (dev-dependencies)",
            ),
            (
                "[build-dependencies]\nserde = \"1\"",
                "`terminal` may not use `serde` (build-dependencies)",
            ),
            (
                "[dependencies]\nserde = { git = \"https://example.org\" }",
                "`terminal` takes `serde` from an unexpected place",
            ),
            (
                "[dependencies]\nserde = { path = \"../x\" }",
                "`terminal` takes `serde` from an unexpected place",
            ),
        ] {
            assert_eq!(check_terminal(lines).join("\n"), expected, "{lines}");
        }
    }

    #[test]
    fn missing_unknown_and_unlinted_crates_are_found() {
        let findings = check(&Tree::of(&[
            (
                "Cargo.toml",
                "[workspace.dependencies]\nledger.path = \"elsewhere\"\nserde = \"1\"\ncrypto.path = \"crates/crypto\"",
            ),
            ("crates/billing/Cargo.toml", ""),
            ("crates/ledger/Cargo.toml", ""),
            ("crates/crypto/Cargo.toml", "not toml"),
        ]));
        for expected in [
            "Cargo.toml: `ledger` comes from an unexpected place",
            "crates/billing/Cargo.toml: `billing` is not in the picture",
            "crates/ledger/Cargo.toml: `ledger` does not take the workspace's lints",
            "crates/crypto/Cargo.toml: ",
            "crates/issuer/Cargo.toml: missing, but `issuer` is in the picture",
        ] {
            assert!(
                findings.iter().any(|finding| finding.starts_with(expected)),
                "{expected} in {findings:?}"
            );
        }
        assert!(
            !findings
                .iter()
                .any(|finding| finding.contains("`serde`") || finding.contains("`crypto`"))
        );
    }
}
