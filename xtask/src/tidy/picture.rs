//! The picture that readers see has exactly the crates of the workspace.

use crate::crates::CRATES;
use crate::tree::Tree;

use super::has_word;

const PAGE: &str = "ARCHITECTURE.md";

/// Names each crate that is missing from the picture, and a missing picture.
#[must_use]
pub fn check(tree: &Tree) -> Vec<String> {
    let pictures: Vec<&str> = tree.text(PAGE).into_iter().flat_map(fenced).collect();
    if pictures.is_empty() {
        return vec![format!(
            "{PAGE}: a fenced block marked `picture` is missing"
        )];
    }
    let missing = |picture: &&str| -> Vec<String> {
        let absent = CRATES.iter().filter(|row| !has_word(picture, row.name));
        absent
            .map(|row| format!("{PAGE}: `{}` is missing from the picture", row.name))
            .collect()
    };
    pictures.iter().flat_map(missing).collect()
}

fn fenced(text: &str) -> impl Iterator<Item = &str> {
    text.split("```picture\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```").map(|(block, _)| block))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_missing_from_the_picture_is_found() {
        let whole = crate::crates::table();
        assert_eq!(check(&Tree::of(&[(PAGE, &whole)])), Vec::<String>::new());
        let without = whole.replacen("issuer", "", 1);
        assert_eq!(
            check(&Tree::of(&[(PAGE, &without)])),
            ["ARCHITECTURE.md: `issuer` is missing from the picture"]
        );
        assert_eq!(check(&Tree::of(&[(PAGE, "text")])).len(), 1);
        assert_eq!(check(&Tree::default()).len(), 1);
    }
}
