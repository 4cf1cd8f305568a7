//! Words for people stand in the sources as pairs, zh-CN and en: none is half, none is left over, and one area has one English
//! word for each Chinese one.

use crate::installation::repository;
use crate::words::spoken::is_chinese;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Measure words and the like, which have no English.
const UNSAID: [&str; 3] = [" 步", " 笔", "万分之 "];
/// Where words for people stand. Each folder, or file, is an area of its own.
const AREAS: [&str; 5] = [
    "crates/pages/src",
    "crates/counterfoil/src",
    "crates/payment/src",
    "crates/receipt/src",
    "crates/terminal/src",
];

#[test]
fn every_pair_of_words_is_whole_and_one() {
    let root = repository();
    let mut unsaid = BTreeSet::new();
    let mut known: BTreeMap<(PathBuf, String), (String, PathBuf)> = BTreeMap::new();
    let mut count = 0;
    for file in AREAS.iter().flat_map(|area| sources(&root.join(area))) {
        let text = fs::read_to_string(&file).expect("a source");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (zh, en) in pairs(text) {
            if !zh.contains(is_chinese) {
                continue;
            }
            count += 1;
            if en.is_empty() {
                assert!(
                    UNSAID.contains(&zh.as_str()),
                    "{}: {zh} has no English",
                    file.display()
                );
                unsaid.insert(zh);
                continue;
            }
            let foreign = en.replace("存根", "").contains(is_chinese);
            assert!(!foreign || zh == "zh", "{}: {en}", file.display());
            let area = (area(&root, &file), zh.clone());
            let said = known
                .entry(area)
                .or_insert_with(|| (en.clone(), file.clone()));
            // What slips print in capitals are their own fixed words.
            let same = plain(&said.0) == plain(&en) || is_label(&said.0) != is_label(&en);
            assert!(
                same,
                "{zh}: {} in {}, {en} in {}",
                said.0,
                said.1.display(),
                file.display()
            );
        }
    }
    assert!(count > 1_500, "{count} pairs: they are not found any more");
    assert_eq!(unsaid, UNSAID.map(str::to_owned).into(), "left over");
}

/// How a word is written at the beginning of a line or inside one, and its plural, make no other word of it.
fn plain(text: &str) -> String {
    text.trim_end_matches([':', '.', 's']).to_lowercase()
}

fn is_label(text: &str) -> bool {
    text.chars().all(|c| !c.is_ascii_lowercase())
}

/// A folder of pages, or of a party's part; a table of rows is an area by itself.
fn area(root: &Path, file: &Path) -> PathBuf {
    let own = file.strip_prefix(root).expect("below the root");
    let parts: Vec<_> = own.components().collect();
    match own.starts_with("crates/payment") || own.starts_with("crates/receipt") {
        true => own.to_owned(),
        false => parts.iter().take(4).collect::<PathBuf>().with_extension(""),
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Every `("…", "…")` of a source.
fn pairs(source: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (at, _) in source.match_indices('(') {
        // What is put in the place of a text is no word and its translation.
        if source[..at].ends_with("replace") {
            continue;
        }
        let after = source[at + 1..].trim_start();
        let pair = literal(after).and_then(|(zh, after)| {
            let after = after.trim_start().strip_prefix(',')?.trim_start();
            let (en, after) = literal(after)?;
            let after = after.trim_start();
            let after = after.strip_prefix(',').unwrap_or(after).trim_start();
            after.starts_with(')').then_some((zh, en))
        });
        found.extend(pair);
    }
    found
}

/// A string literal at the beginning of a text, and what follows it.
fn literal(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('"')?;
    let mut said = String::new();
    loop {
        let at = rest.find(['"', '\\'])?;
        said += &rest[..at];
        let after = &rest[at + 1..];
        if rest[at..].starts_with('"') {
            return Some((said, after));
        }
        rest = match after.strip_prefix('\n') {
            Some(next) => next.trim_start(),
            None => {
                said.extend(after.chars().next());
                after.get(1..)?
            }
        };
    }
}
