//! Vectors: rows of published or agreed values, and the runner that holds this build against them.
//!
//! Invariant: a row passes only with exactly the wanted output; what is refused passes only where refusal is wanted.

pub use crate::test_interface::{InputError, Outcome, PasswordHash, Rejection, RowEngine};
use crate::{SecurityError, software_engine::SoftwareEngine, test_interface::check_on};
use core::fmt;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Output of a row whose inputs must be refused.
pub(crate) const REJECT: &str = "REJECT";

/// One row of a vectors file. Other fields (source, note) are for people.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Vector {
    /// Name of the row.
    pub name: String,
    /// What is computed.
    pub algorithm: String,
    /// From what: bytes in hex, numbers in decimal.
    pub inputs: BTreeMap<String, Scalar>,
    /// What must come out.
    pub output: Output,
}

/// A text, a number or a truth value of a file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// Hex, digits or other text.
    Text(String),
    /// A count.
    Number(u64),
    /// Yes or no.
    Truth(bool),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
            Self::Truth(truth) => truth.fmt(f),
        }
    }
}

/// What a row wants.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Output {
    /// One value, or `REJECT`.
    One(Scalar),
    /// Several, by name.
    Named(BTreeMap<String, Scalar>),
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(value) => value.fmt(f),
            Self::Named(values) => write_named(f, values),
        }
    }
}

/// How a row ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As wanted.
    Passed,
    /// Otherwise, or an input is malformed.
    Failed(Result<Outcome, InputError>),
    /// The engine has no such mechanism; nothing was computed instead.
    NotOffered(&'static str),
    /// The algorithm is not known here.
    Unknown,
}

/// Runs one row in this process.
pub fn run(vector: &Vector) -> Verdict {
    run_on(&SoftwareEngine(()), vector)
}

/// Runs one row on an engine.
pub fn run_on<E: RowEngine>(engine: &E, vector: &Vector) -> Verdict {
    let inputs = vector
        .inputs
        .iter()
        .map(|(name, value)| (name.clone(), value.to_string()))
        .collect();
    match check_on(engine, &vector.algorithm, &inputs) {
        Ok(Outcome::Refused(SecurityError::NotOffered { mechanism })) => {
            Verdict::NotOffered(mechanism)
        }
        Ok(Outcome::Unsupported) => Verdict::Unknown,
        Ok(outcome) if agrees(&outcome, &vector.output) => Verdict::Passed,
        otherwise => Verdict::Failed(otherwise),
    }
}

fn agrees(outcome: &Outcome, wanted: &Output) -> bool {
    match (outcome, wanted) {
        (Outcome::Value(value), Output::One(wanted)) => {
            *value == wanted.to_string() && value != REJECT
        }
        (Outcome::Values(values), Output::Named(wanted)) => {
            let wanted = wanted
                .iter()
                .map(|(name, value)| (name.clone(), value.to_string()));
            *values == wanted.collect()
        }
        (Outcome::Rejected(_), Output::One(wanted)) => wanted.to_string() == REJECT,
        _ => false,
    }
}

/// Names and values, `name=value`, with gaps between.
pub(crate) fn write_named(
    f: &mut fmt::Formatter<'_>,
    values: &BTreeMap<String, impl fmt::Display>,
) -> fmt::Result {
    for (place, (name, value)) in values.iter().enumerate() {
        let gap = if place == 0 { "" } else { " " };
        write!(f, "{gap}{name}={value}")?;
    }
    Ok(())
}
