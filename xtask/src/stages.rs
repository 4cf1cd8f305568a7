//! The stages of the one test command, in order: `cargo xtask test`. Every stage runs and is counted, also after another
//! has failed; nothing is skipped without a word.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use crate::tree::{root, target};
use crate::{prerequisites, python};

/// One stage: a name and what it runs.
#[derive(Debug)]
pub struct Stage {
    /// Its name, as in `cargo xtask test <name>`.
    pub name: &'static str,
    /// What it runs.
    pub run: Run,
}

/// What a stage runs.
#[derive(Debug)]
pub enum Run {
    /// `cargo` with these arguments.
    Cargo(&'static [&'static str]),
    /// All tests of the workspace, by cargo-nextest if it is installed, otherwise by `cargo test`; without the long runs.
    Tests,
    /// One of the long runs over whole processes, with what it prints.
    Slow(&'static str),
    /// The pages in a browser, with the judge of accessibility from the npm registry.
    Browser,
    /// Makes the Python environment.
    PythonEnvironment,
    /// That environment's Python with these arguments.
    Python(&'static [&'static str]),
}

/// Tests whose names begin so are the long runs: each is a stage of its own.
const SLOW: &str = "slow::";

/// All stages: one line each.
pub const STAGES: &[Stage] = &[
    Stage {
        name: "format",
        run: Run::Cargo(&["fmt", "--all", "--check"]),
    },
    Stage {
        name: "clippy",
        run: Run::Cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]),
    },
    Stage {
        name: "program",
        run: Run::Cargo(&["build", "--release", "--package", "counterfoil"]),
    },
    Stage {
        name: "python",
        run: Run::PythonEnvironment,
    },
    Stage {
        name: "tests",
        run: Run::Tests,
    },
    Stage {
        name: "independent",
        run: Run::Slow("slow::independent::"),
    },
    Stage {
        name: "contract",
        run: Run::Slow("slow::contract::"),
    },
    Stage {
        name: "emupos",
        run: Run::Slow("slow::emupos::"),
    },
    Stage {
        name: "mutation",
        run: Run::Slow("slow::mutation::"),
    },
    Stage {
        name: "paper",
        run: Run::Slow("slow::paper::"),
    },
    Stage {
        name: "browser",
        run: Run::Browser,
    },
    Stage {
        name: "disk",
        run: Run::Slow("slow::disk::"),
    },
    Stage {
        name: "kills",
        run: Run::Slow("slow::kills::"),
    },
    Stage {
        name: "planted",
        run: Run::Cargo(&[
            "test",
            "--package",
            "sim",
            "--features",
            "planted",
            "planted",
            "--",
            "--nocapture",
        ]),
    },
    Stage {
        name: "seeds",
        run: Run::Cargo(&[
            "run",
            "--release",
            "--package",
            "counterfoil",
            "--",
            "sim",
            "--seeds",
            "0..2000",
        ]),
    },
    Stage {
        name: "demo",
        run: Run::Cargo(&[
            "run",
            "--release",
            "--package",
            "counterfoil",
            "--",
            "demo",
            "--once",
        ]),
    },
];

/// Checks the prerequisites, runs all stages or only the named ones, and closes with `N passed, N failed`.
#[must_use]
pub fn run(named: &[&str]) -> ExitCode {
    let stages = match chosen(STAGES, named) {
        Ok(stages) => stages,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    println!("== prerequisites");
    let missing = prerequisites::check();
    if !missing.is_empty() {
        missing.iter().for_each(|missing| eprintln!("  {missing}"));
        println!("no stage ran: {} prerequisites are missing", missing.len());
        println!("0 passed, {} failed", stages.len());
        return ExitCode::FAILURE;
    }
    let mut lines = Vec::new();
    let mut failed_count = 0;
    for stage in &stages {
        println!("\n== {}", stage.name);
        let start = Instant::now();
        let outcome = stage.run.execute();
        let seconds = start.elapsed().as_secs_f64();
        let word = if outcome.is_ok() { "passed" } else { "failed" };
        lines.push(format!("{word}  {:<12} {seconds:>7.1} s", stage.name));
        if let Err(error) = outcome {
            eprintln!("{}: {error}", stage.name);
            failed_count += 1;
        }
    }
    println!("\n== stages");
    lines.iter().for_each(|line| println!("{line}"));
    if stages.len() < STAGES.len() {
        println!(
            "only the named stages ran, {} of {}",
            stages.len(),
            STAGES.len()
        );
    }
    println!(
        "{} passed, {failed_count} failed",
        stages.len() - failed_count
    );
    if failed_count == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn chosen<'a>(stages: &'a [Stage], named: &[&str]) -> Result<Vec<&'a Stage>, String> {
    if let Some(unknown) = named
        .iter()
        .find(|name| !stages.iter().any(|stage| stage.name == **name))
    {
        return Err(format!(
            "no stage is called `{unknown}`; see cargo xtask stages"
        ));
    }
    Ok(stages
        .iter()
        .filter(|stage| named.is_empty() || named.contains(&stage.name))
        .collect())
}

impl Run {
    fn execute(&self) -> Result<(), String> {
        match self {
            Self::Cargo(arguments) => cargo(arguments),
            Self::Tests => tests(),
            Self::Slow(filter) => slow(filter),
            Self::Browser => {
                let judge = target().join("axe");
                let script = root().join("tests/python/axe.py");
                start(
                    &python::interpreter(),
                    &[&script.to_string_lossy(), &judge.to_string_lossy()],
                )?;
                slow("slow::browser::")
            }
            Self::PythonEnvironment => python::prepare(),
            Self::Python(arguments) => start(&python::interpreter(), arguments),
        }
    }
}

fn tests() -> Result<(), String> {
    let nextest = Command::new("cargo")
        .args(["nextest", "--version"])
        .output();
    if nextest.is_ok_and(|output| output.status.success()) {
        // cargo-nextest does not run the examples in the documentation.
        let others = format!("not test(/^{SLOW}/)");
        let run = cargo(&[
            "nextest",
            "run",
            "--workspace",
            "--profile",
            "ci",
            "--filterset",
            &others,
        ]);
        let documentation = cargo(&["test", "--workspace", "--doc"]);
        return run.and(documentation);
    }
    println!(
        "cargo-nextest is not installed (cargo install cargo-nextest --locked): cargo test runs the same tests"
    );
    cargo(&[
        "test",
        "--workspace",
        "--no-fail-fast",
        "--",
        "--skip",
        SLOW,
    ])
}

/// Runs one after the other, for they load the machine on purpose, and shows how far they are.
/// With the features of the whole workspace, as the stage before built it: another choice builds every crate anew.
fn slow(filter: &str) -> Result<(), String> {
    cargo(&[
        "test",
        "--workspace",
        "--test",
        "all",
        filter,
        "--",
        "--nocapture",
        "--test-threads",
        "1",
    ])
}

fn cargo(arguments: &[&str]) -> Result<(), String> {
    start(Path::new("cargo"), arguments)
}

fn start(program: &Path, arguments: &[&str]) -> Result<(), String> {
    println!("{} {}", program.display(), arguments.join(" "));
    match Command::new(program)
        .args(arguments)
        .current_dir(root())
        .status()
    {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(status.to_string()),
        Err(error) => Err(format!("{}: {error}", program.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_chosen_by_name_and_stay_in_order() {
        let names = |named| {
            chosen(STAGES, named)
                .map(|stages| stages.iter().map(|stage| stage.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["tests", "format"]), Ok(vec!["format", "tests"]));
        assert_eq!(names(&[]).map(|all| all.len()), Ok(STAGES.len()));
        assert!(names(&["format", "tets"]).is_err());
    }

    #[test]
    fn every_long_run_has_its_stage() {
        let list = root().join("crates/counterfoil/tests/all/slow.rs");
        let list = std::fs::read_to_string(list).expect("the list of long runs");
        let folder = root().join("crates/counterfoil/tests/all/slow");
        for line in list.lines() {
            let Some(name) = line.strip_prefix("mod ").and_then(|l| l.strip_suffix(';')) else {
                continue;
            };
            let text = std::fs::read_to_string(folder.join(format!("{name}.rs")));
            let runs = text.expect("the file of a module").contains("#[test]");
            let staged = STAGES.iter().any(|stage| match stage.run {
                Run::Slow(filter) => filter == format!("{SLOW}{name}::"),
                Run::Browser => name == "browser",
                _ => false,
            });
            assert_eq!(runs, staged, "{name}");
        }
    }

    #[test]
    fn a_stage_that_fails_says_so() {
        assert!(Run::Cargo(&["no-such-command"]).execute().is_err());
        assert!(start(Path::new("no-such-program"), &[]).is_err());
        assert_eq!(start(Path::new("true"), &[]), Ok(()));
    }
}
