//! The rules of the tree, held against the tree: `cargo xtask tidy` as tests.

use xtask::tidy::RULES;
use xtask::tree::Tree;

/// One test per rule, and a proof that none was left out.
macro_rules! rules {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                let (_, check) = RULES.iter().find(|(name, _)| *name == stringify!($name)).expect("a rule");
                let findings = check(&Tree::of_repository());
                assert!(findings.is_empty(), "\n{}", findings.join("\n"));
            }
        )*

        #[test]
        fn every_rule_is_a_test() {
            let tested = [$(stringify!($name)),*];
            let rules: Vec<_> = RULES.iter().map(|(name, _)| *name).collect();
            assert_eq!(rules, tested);
        }
    };
}

rules! { dependencies picture modules exposed primitives purity words files_long generated }

#[test]
fn the_tree_is_read() {
    let tree = Tree::of_repository();
    assert!(tree.text("xtask/src/tree.rs").is_some());
    assert!(tree.sources().count() > 20);
    assert!(
        tree.files()
            .all(|(path, _)| !path.starts_with("target/") && !path.starts_with(".git/"))
    );
}
