//! The Python environment of the independent client: in the target folder, made from the pinned requirements and made
//! anew when they change.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::tree::{root, target};

/// What the client needs, each with its version.
pub const REQUIREMENTS: &str = "tests/python/requirements.txt";

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
    let file = root().join(REQUIREMENTS);
    let requirements =
        fs::read_to_string(&file).map_err(|error| format!("{REQUIREMENTS}: {error}"))?;
    check_pinned(&requirements)?;
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
    run(Command::new(interpreter())
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
        ])
        .arg(&file))?;
    fs::write(&stamp, requirements).map_err(|error| format!("{}: {error}", stamp.display()))
}

fn folder() -> PathBuf {
    target().join("python")
}

/// Every requirement names one version, so that a run today is a run tomorrow.
fn check_pinned(requirements: &str) -> Result<(), String> {
    let mut lines = requirements
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    match lines.find(|line| !line.contains("==")) {
        Some(line) => Err(format!(
            "{REQUIREMENTS}: `{line}` names no version with `==`"
        )),
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
            assert_eq!(check_pinned(requirements).is_ok(), pinned, "{requirements}");
        }
    }
}
