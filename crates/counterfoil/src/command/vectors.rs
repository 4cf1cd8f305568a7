//! `counterfoil vectors`: holds this build's cryptography against a file of vectors.
//!
//! Invariant: the exit status is success only when there is a row and every row passed; what is not known here is no success.

use super::{Failure, print_json};
use crypto::vectors::{Vector, Verdict, run as run_row};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Largest file read: a hundred times the reference's own.
const FILE_BYTES_MAX: u64 = 16 * 1_024 * 1_024;

/// Arguments of `vectors`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A JSON list of rows with name, algorithm, inputs and output
    file: PathBuf,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What the rows of one algorithm came to.
#[derive(Default, serde::Serialize)]
struct Family {
    passed: usize,
    failed: Vec<FailedRow>,
    unknown: Vec<String>,
}

/// A row that did not pass.
#[derive(serde::Serialize)]
struct FailedRow {
    name: String,
    expected: String,
    got: String,
}

pub(super) fn run(arguments: &Arguments, zh: bool) -> Result<ExitCode, Failure> {
    let rows = read(&arguments.file)?;
    let families = check(&rows);
    if arguments.json {
        print_json(&families)?;
    } else {
        print!("{}", text(&families, zh));
    }
    let all_passed = families
        .values()
        .all(|family| family.failed.is_empty() && family.unknown.is_empty());
    Ok(if all_passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn read(file: &Path) -> Result<Vec<Vector>, Failure> {
    let problem = |what: &dyn std::fmt::Display| format!("{}: {what}", file.display());
    let size = std::fs::metadata(file)
        .map_err(|error| problem(&error))?
        .len();
    if size > FILE_BYTES_MAX {
        return Err(problem(&format!(
            "{size} bytes are more than {FILE_BYTES_MAX}"
        )));
    }
    let text = std::fs::read_to_string(file).map_err(|error| problem(&error))?;
    let rows: Vec<Vector> = serde_json::from_str(&text).map_err(|error| problem(&error))?;
    if rows.is_empty() {
        return Err(problem(&"no row"));
    }
    Ok(rows)
}

fn check(rows: &[Vector]) -> BTreeMap<&str, Family> {
    let mut families: BTreeMap<&str, Family> = BTreeMap::new();
    for row in rows {
        let family = families.entry(&row.algorithm).or_default();
        match run_row(row) {
            Verdict::Passed => family.passed += 1,
            Verdict::Unknown => family.unknown.push(row.name.clone()),
            Verdict::Failed(got) => family.failed.push(FailedRow {
                name: row.name.clone(),
                expected: row.output.to_string(),
                got: got.map_or_else(|error| error.to_string(), |outcome| outcome.to_string()),
            }),
        }
    }
    families
}

/// A line for each family, its failed and unknown rows below it, and the sum.
fn text(families: &BTreeMap<&str, Family>, zh: bool) -> String {
    let (expected, got, unknown) = if zh {
        ("应为", "实为", "未知算法")
    } else {
        ("expected", "got", "unknown algorithm")
    };
    let mut text = String::new();
    let mut sum = [0; 3];
    for (algorithm, family) in families {
        let counts = [family.passed, family.failed.len(), family.unknown.len()];
        sum = std::array::from_fn(|place| sum[place] + counts[place]);
        text += &line(algorithm, counts, zh);
        for row in &family.failed {
            text += &format!("  ✗ {}\n", row.name);
            text += &format!("    {expected} {}\n    {got} {}\n", row.expected, row.got);
        }
        for name in &family.unknown {
            text += &format!("  ? {name} {unknown}\n");
        }
    }
    text + &line(if zh { "合计" } else { "sum" }, sum, zh)
}

fn line(title: &str, [passed, failed, unknown]: [usize; 3], zh: bool) -> String {
    if zh {
        format!("{title}：通过 {passed}，失败 {failed}，未知 {unknown}\n")
    } else {
        format!("{title}: {passed} passed, {failed} failed, {unknown} unknown\n")
    }
}
