//! `counterfoil vectors`: holds the cryptography of this build, or of a PKCS#11 token, against a file of vectors.
//!
//! Invariant: the exit status is success only when there is a row and every row passed or, on a token, is listed with the
//! mechanism that the token lacks; what is not known here is no success.

use super::{Failure, print_json};
use crate::token::{Token, TokenPlace};
use crypto::vectors::{Vector, Verdict, run as run_row, run_on};
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
    /// Run every row in a token: the vendor's PKCS#11 library
    #[arg(long, requires = "token")]
    pkcs11: Option<PathBuf>,
    /// The token's label
    #[arg(long, requires = "pkcs11")]
    token: Option<String>,
    /// File with the token's user PIN [default: COUNTERFOIL_TOKEN_PIN]
    #[arg(long, requires = "pkcs11")]
    pin_file: Option<PathBuf>,
}

/// What the rows of one algorithm came to.
#[derive(Default, serde::Serialize)]
struct Family {
    passed: usize,
    failed: Vec<FailedRow>,
    unknown: Vec<String>,
    /// Rows that the token cannot run; never counted as passed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_on_this_token: Vec<MissingRow>,
    /// Of those passed, rows that ask nothing of a token: codes and formats without a key.
    #[serde(skip_serializing_if = "is_zero")]
    without_mechanism: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// A row that did not pass.
#[derive(serde::Serialize)]
struct FailedRow {
    name: String,
    expected: String,
    got: String,
}

/// A row whose mechanism the token lacks.
#[derive(serde::Serialize)]
struct MissingRow {
    name: String,
    mechanism: &'static str,
}

pub(super) fn run(arguments: &Arguments, zh: bool) -> Result<ExitCode, Failure> {
    let rows = read(&arguments.file)?;
    let token = token(arguments)?;
    let families = check(&rows, token.as_ref());
    if arguments.json {
        print_json(&families)?;
    } else {
        print!("{}", text(&families, token.is_some(), zh));
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

/// The token to run the rows in, when one is named.
fn token(arguments: &Arguments) -> Result<Option<Token>, Failure> {
    let (Some(library), Some(label)) = (&arguments.pkcs11, &arguments.token) else {
        return Ok(None);
    };
    let pin_file = arguments.pin_file.as_deref();
    let token = TokenPlace::new(library.clone(), label.clone(), pin_file)
        .and_then(|place| Token::open(&place))
        .map_err(|error| error.to_string())?;
    Ok(Some(token))
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

fn check<'a>(rows: &'a [Vector], token: Option<&Token>) -> BTreeMap<&'a str, Family> {
    let mut families: BTreeMap<&str, Family> = BTreeMap::new();
    for row in rows {
        let family = families.entry(&row.algorithm).or_default();
        let operations = token.map(Token::operations);
        let verdict = match token {
            Some(token) => run_on(token, row),
            None => run_row(row),
        };
        match verdict {
            Verdict::Passed => {
                family.passed += 1;
                let untouched = operations.is_some() && token.map(Token::operations) == operations;
                family.without_mechanism += usize::from(untouched);
            }
            Verdict::Unknown => family.unknown.push(row.name.clone()),
            Verdict::NotOffered(mechanism) => family.not_on_this_token.push(MissingRow {
                name: row.name.clone(),
                mechanism,
            }),
            Verdict::Failed(got) => family.failed.push(FailedRow {
                name: row.name.clone(),
                expected: row.output.to_string(),
                got: got.map_or_else(|error| error.to_string(), |outcome| outcome.to_string()),
            }),
        }
    }
    families
}

/// A line for each family, its rows that did not pass below it, and the sum.
fn text(families: &BTreeMap<&str, Family>, on_token: bool, zh: bool) -> String {
    let [expected, got, unknown, missing] = match zh {
        true => ["应为", "实为", "未知算法", "此令牌不支持："],
        false => [
            "expected",
            "got",
            "unknown algorithm",
            "not on this token: ",
        ],
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
        for row in &family.not_on_this_token {
            text += &format!("  – {} {missing}{}\n", row.name, row.mechanism);
        }
        for name in &family.unknown {
            text += &format!("  ? {name} {unknown}\n");
        }
    }
    text += &line(if zh { "合计" } else { "sum" }, sum, zh);
    if on_token {
        text += &token_line(families, zh);
    }
    text
}

/// What the token did of the passed rows, and what it could not.
fn token_line(families: &BTreeMap<&str, Family>, zh: bool) -> String {
    let count = |of: fn(&Family) -> usize| families.values().map(of).sum::<usize>();
    let plain = count(|family| family.without_mechanism);
    let inside = count(|family| family.passed) - plain;
    let missing = count(|family| family.not_on_this_token.len());
    if zh {
        format!(
            "令牌内计算通过 {inside}，无需密钥与算法（仅格式）{plain}，此令牌不支持 {missing}\n"
        )
    } else {
        format!(
            "passed inside the token {inside}, no key and no mechanism (formats only) {plain}, not on this token {missing}\n"
        )
    }
}

fn line(title: &str, [passed, failed, unknown]: [usize; 3], zh: bool) -> String {
    if zh {
        format!("{title}：通过 {passed}，失败 {failed}，未知 {unknown}\n")
    } else {
        format!("{title}: {passed} passed, {failed} failed, {unknown} unknown\n")
    }
}
