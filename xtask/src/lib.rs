//! Developer commands: the rules of the tree as tests (`tidy`), the pages made from tables (`generate`), and the one test
//! command (`test`). Nothing of this is in the shipped program.

pub mod crates;
pub mod generated;
pub mod prerequisites;
pub mod python;
pub mod stages;
pub mod tidy;
pub mod tree;
