//! Pages, or parts of pages, that are made from tables and therefore true. What is in the tree is always what the table
//! says now.

use std::fs;

use crate::crates;
use crate::tree::{Tree, root};

/// A text that is made from a table.
#[derive(Debug)]
pub struct Page {
    /// The file, from the root.
    pub path: &'static str,
    /// The name of the markers `<!-- name:begin -->` and `<!-- name:end -->` between which the text stands; `None` is the
    /// whole file.
    pub part: Option<&'static str>,
    /// Makes the text, which ends with a line break.
    pub text: fn() -> String,
}

/// All generated pages: one line each.
pub const PAGES: &[Page] = &[Page {
    path: "ARCHITECTURE.md",
    part: Some("crates"),
    text: crates::table,
}];

/// Names every page that is not what its table says.
#[must_use]
pub fn check(tree: &Tree, pages: &[Page]) -> Vec<String> {
    let finding = |page: &Page| match fresh(tree, page) {
        Ok(whole) if Some(whole.as_str()) == tree.text(page.path) => None,
        Ok(_) => Some(format!(
            "{}: not what its table says: run cargo xtask generate",
            page.path
        )),
        Err(error) => Some(error),
    };
    pages.iter().filter_map(finding).collect()
}

/// Rewrites every page that is not what its table says, and names those that cannot be.
#[must_use]
pub fn write(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for path in paths() {
        // A file may have several parts, each put into what the last one left.
        let mut text = tree.text(path).map(str::to_owned);
        for page in PAGES.iter().filter(|page| page.path == path) {
            let now = match &text {
                Some(text) => Tree::of(&[(path, text)]),
                None => Tree::default(),
            };
            match fresh(&now, page) {
                Ok(whole) => text = Some(whole),
                Err(error) => findings.push(error),
            }
        }
        if text.as_deref() != tree.text(path) {
            let file = root().join(path);
            let folder = file.parent().expect("a file is in a folder");
            let written = fs::create_dir_all(folder)
                .and_then(|()| fs::write(&file, text.unwrap_or_default()));
            match written {
                Ok(()) => println!("wrote {path}"),
                Err(error) => findings.push(format!("{path}: {error}")),
            }
        }
    }
    findings
}

fn paths() -> Vec<&'static str> {
    let mut paths: Vec<_> = PAGES.iter().map(|page| page.path).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// The whole file with this page's text in its place.
fn fresh(tree: &Tree, page: &Page) -> Result<String, String> {
    let made = (page.text)();
    let Some(part) = page.part else {
        return Ok(made);
    };
    let old = tree
        .text(page.path)
        .ok_or_else(|| format!("{}: missing", page.path))?;
    let [begin, end] = ["begin", "end"].map(|edge| format!("<!-- {part}:{edge} -->"));
    let split = old
        .split_once(&begin)
        .and_then(|(head, rest)| Some((head, rest.split_once(&end)?.1)));
    match split {
        Some((head, tail)) => Ok(format!("{head}{begin}\n{made}{end}{tail}")),
        None => Err(format!(
            "{}: the markers {begin} and {end} are missing",
            page.path
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> String {
        "| a |\n".to_owned()
    }

    const PART: &[Page] = &[Page {
        path: "page.md",
        part: Some("rows"),
        text: rows,
    }];
    const WHOLE: &[Page] = &[Page {
        path: "page.md",
        part: None,
        text: rows,
    }];

    #[test]
    fn a_stale_or_missing_page_is_found() {
        for (text, pages, expected) in [
            (
                "x\n<!-- rows:begin -->\n| a |\n<!-- rows:end -->\ny",
                PART,
                None,
            ),
            (
                "x\n<!-- rows:begin -->\n| b |\n<!-- rows:end -->\ny",
                PART,
                Some("run cargo xtask generate"),
            ),
            ("x\n<!-- rows:begin -->\n| a |\n", PART, Some("the markers")),
            ("| a |\n", WHOLE, None),
            ("| a |\nmore\n", WHOLE, Some("run cargo xtask generate")),
        ] {
            let findings = check(&Tree::of(&[("page.md", text)]), pages);
            match expected {
                None => assert_eq!(findings, Vec::<String>::new()),
                Some(part) => assert!(
                    findings.len() == 1 && findings[0].contains(part),
                    "{findings:?}"
                ),
            }
        }
        assert_eq!(check(&Tree::default(), PART), ["page.md: missing"]);
        assert_eq!(check(&Tree::default(), WHOLE).len(), 1);
    }
}
