//! `counterfoil decode`: a message given as hex, every field named, secrets masked.

use super::{Failure, print_json};
use iso8583::{Dialect, Message, Mti, describe, guess};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `decode`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The message as hex; spaces are passed over
    #[arg(required = true, num_args = 1..)]
    hex: Vec<String>,
    /// terminal, host or ascii87 [default: guessed]
    #[arg(long)]
    dialect: Option<String>,
    /// A dialect file of one's own
    #[arg(long, conflicts_with = "dialect")]
    dialect_file: Option<PathBuf>,
    /// Takes known deviations and names each
    #[arg(long)]
    lenient: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// The longest input, in hex characters: far beyond the longest frame.
const HEX_MAX: usize = 64 * 1_024;

pub(super) fn run(arguments: &Arguments, zh: bool) -> Result<ExitCode, Failure> {
    let bytes = hex(&arguments.hex.concat())?;
    let own = match &arguments.dialect_file {
        None => None,
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| format!("{}: {error}", file.display()))?;
            Some(Dialect::parse(&text).map_err(|error| format!("{}: {error}", file.display()))?)
        }
    };
    let named = match &arguments.dialect {
        None => None,
        Some(name) => Some(Dialect::by_name(name).ok_or(format!(
            "dialect \"{name}\" is not terminal, host or ascii87"
        ))?),
    };
    let guessed = guess(&bytes);
    let dialect = own.as_ref().or(named).or(guessed.map(|(dialect, _)| dialect)).ok_or(
        "this is no message of a dialect known here; name one with --dialect to see where it breaks".to_owned(),
    )?;
    let layer = guessed
        .filter(|(found, _)| std::ptr::eq(*found, dialect))
        .map(|(_, layer)| layer);
    let body = layer
        .and_then(|layer| layer.body(dialect, &bytes))
        .unwrap_or(&bytes);
    let mut message = Message::new(Mti(0));
    let deviations = if arguments.lenient {
        dialect
            .decode_lenient(body, &mut message)
            .map_err(|error| error.to_string())?
    } else {
        dialect
            .decode(body, &mut message)
            .map_err(|error| error.to_string())?;
        Vec::new()
    };
    let lines = describe::describe(&message, dialect);
    if arguments.json {
        let fields: Vec<_> = lines
            .iter()
            .map(|line| {
                serde_json::json!({ "field": line.number, "part": line.part, "zh": line.zh, "en": line.en, "value": line.value, "note": line.note })
            })
            .collect();
        let named: Vec<String> = deviations.iter().map(ToString::to_string).collect();
        print_json(&serde_json::json!({
            "dialect": dialect.name(), "mti": format!("{:04X}", message.mti().0), "fields": fields, "deviations": named,
        }))?;
    } else {
        let title = if zh { "方言" } else { "dialect" };
        println!("{title} {} · MTI {:04X}", dialect.name(), message.mti().0);
        print!("{}", describe::render(&lines));
        for deviation in &deviations {
            println!("! {deviation}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn hex(text: &str) -> Result<Vec<u8>, Failure> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    if digits.len() > HEX_MAX {
        return Err(format!(
            "{} hex characters are more than {HEX_MAX}",
            digits.len()
        ));
    }
    if !digits.len().is_multiple_of(2) {
        return Err(format!("{} hex characters: an odd number", digits.len()));
    }
    digits
        .chunks_exact(2)
        .enumerate()
        .map(|(n, pair)| {
            let value = std::str::from_utf8(pair)
                .ok()
                .and_then(|pair| u8::from_str_radix(pair, 16).ok());
            value.ok_or(format!("character {} is not hex", 2 * n + 1))
        })
        .collect()
}
