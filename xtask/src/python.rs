//! The Python environment of the independent judges: in the target folder, made from the pinned requirements and made
//! anew when they change.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::tree::{root, target};

/// What the judges need, each with its version.
pub const REQUIREMENTS: &[Requirements] = &[
    Requirements {
        file: "tests/python/requirements.txt",
        any_python: false,
    },
    Requirements {
        file: "tests/python/requirements-contract.txt",
        any_python: false,
    },
    Requirements {
        file: "tests/python/requirements-printer.txt",
        any_python: true,
    },
];

/// One list of requirements.
#[derive(Debug)]
pub struct Requirements {
    /// Its file in the repository.
    pub file: &'static str,
    /// Installed also where a package asks for a newer Python than this one.
    pub any_python: bool,
}

/// The Python to run the client with.
#[must_use]
pub fn interpreter() -> PathBuf {
    folder().join("bin").join("python")
}

/// Makes the environment unless it stands already as the requirements say.
///
/// # Errors
/// What is missing or failed, in one sentence.
pub fn prepare() -> Result<(), String> {
    let mut requirements = String::new();
    for list in REQUIREMENTS {
        let text = fs::read_to_string(root().join(list.file))
            .map_err(|error| format!("{}: {error}", list.file))?;
        check_pinned(list.file, &text)?;
        requirements += &text;
    }
    // Written last, so that a half-made environment is never taken for a whole one.
    let stamp = folder().join("requirements.txt");
    if interpreter().exists()
        && fs::read_to_string(&stamp).is_ok_and(|installed| installed == requirements)
    {
        println!("the environment stands already: {}", folder().display());
        return Ok(());
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(folder()))?;
    for list in REQUIREMENTS {
        let mut pip = Command::new(interpreter());
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]);
        if list.any_python {
            pip.arg("--ignore-requires-python");
        }
        run(pip.arg("--requirement").arg(root().join(list.file)))?;
    }
    fs::write(&stamp, requirements).map_err(|error| format!("{}: {error}", stamp.display()))
}

fn folder() -> PathBuf {
    target().join("python")
}

/// Every requirement names one version, so that a run today is a run tomorrow.
fn check_pinned(file: &str, requirements: &str) -> Result<(), String> {
    let mut lines = requirements
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    match lines.find(|line| !line.contains("==")) {
        Some(line) => Err(format!("{file}: `{line}` names no version with `==`")),
        None => Ok(()),
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let line = format!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{line}: {status}")),
        Err(error) => Err(format!("{line}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_pinned() {
        for (requirements, pinned) in [
            ("# the codec\npyiso8583==4.0.1\n", true),
            ("pyiso8583\n", false),
            ("pyiso8583>=4\n", false),
            ("", true),
        ] {
            assert_eq!(
                check_pinned("a list", requirements).is_ok(),
                pinned,
                "{requirements}"
            );
        }
    }
}
