//! The commands: `cargo xtask <command>`. Exits with 0 only if everything that was asked for succeeded.

use std::process::ExitCode;

use xtask::tree::Tree;
use xtask::{generated, stages, tidy};

const USAGE: &str = "\
usage: cargo xtask <command>

  test [stage...]  the test command: every stage, or only the named ones
  stages           the names of the stages
  tidy             the rules of the tree
  generate         rewrite the pages that are made from tables";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["test", named @ ..] => stages::run(named),
        ["stages"] => {
            stages::STAGES
                .iter()
                .for_each(|stage| println!("{}", stage.name));
            ExitCode::SUCCESS
        }
        ["tidy"] => report(&tidy::run(&Tree::of_repository())),
        ["generate"] => report(&generated::write(&Tree::of_repository())),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::FAILURE
        }
    }
}

fn report(findings: &[String]) -> ExitCode {
    if findings.is_empty() {
        return ExitCode::SUCCESS;
    }
    findings.iter().for_each(|finding| eprintln!("{finding}"));
    eprintln!("{} findings", findings.len());
    ExitCode::FAILURE
}
