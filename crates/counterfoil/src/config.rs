//! Configuration files: one TOML file per party, checked as a whole before anything starts.
//!
//! Clear keys and PINs load only under `profile = "sandbox"` (settled point 16); a ladder that does not nest is refused by name.

pub mod acquirer;
pub mod downloads;
pub mod issuer;
pub mod keys;
pub mod link;
pub mod network;
pub mod printer;
pub mod security;
pub mod terminal;

use serde::de::DeserializeOwned;
use std::fmt;
use std::path::{Path, PathBuf};
use ureq::http::Uri;

/// A configuration that is not taken, with its place.
#[derive(Debug)]
pub struct ConfigError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong, and where.
    pub problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.problem)
    }
}

impl std::error::Error for ConfigError {}

/// What is wrong with a value; the caller adds the file.
pub type Problem = String;

/// Where keys and card numbers may be clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Published test values, loopback.
    Sandbox,
    /// Real money: keys are wrapped, cards are sealed.
    Production,
}

impl Profile {
    /// As the journal keeps it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Production => "production",
        }
    }
}

/// A card's sequence number.
fn sequence_digits(text: &str) -> Result<[u8; 2], Problem> {
    let digits = text.as_bytes().try_into().ok();
    digits
        .filter(|digits: &[u8; 2]| digits.iter().all(u8::is_ascii_digit))
        .ok_or_else(|| format!("chip sequence \"{text}\" is not two digits"))
}

/// The default method by which chips are answered.
pub(crate) const fn arpc() -> u8 {
    1
}

/// The method by which chips are answered.
fn answer_method(arpc: u8) -> Result<crypto::AnswerMethod, Problem> {
    match arpc {
        1 => Ok(crypto::AnswerMethod::ResponseCode),
        2 => Ok(crypto::AnswerMethod::StatusUpdate),
        other => Err(format!("arpc = {other} is not 1 or 2")),
    }
}

/// The default of a switch that is on.
pub(crate) const fn yes() -> bool {
    true
}

/// Reads a file; an error names line and column.
pub fn read<T: DeserializeOwned>(file: &Path) -> Result<T, ConfigError> {
    let refuse = |problem: String| ConfigError {
        file: file.to_owned(),
        problem,
    };
    let text = std::fs::read_to_string(file).map_err(|error| refuse(error.to_string()))?;
    parse(&text).map_err(refuse)
}

/// Reads text.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())
}

/// Where a collector takes spans.
pub fn collector(text: &str) -> Result<Uri, Problem> {
    let address: Option<Uri> = text.parse().ok();
    let web = address.filter(|address| matches!(address.scheme_str(), Some("http" | "https")));
    web.ok_or(format!(
        "traces \"{text}\" must be an address of http or https"
    ))
}

/// An institution's code: 1 to 11 digits.
pub fn institution(text: &str) -> Result<payment::Institution, Problem> {
    let digits = !text.is_empty() && text.len() <= 11 && text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number
        .map(payment::Institution)
        .ok_or(format!("institution \"{text}\" must be 1 to 11 digits"))
}

/// A terminal's number: exactly 8 characters.
pub fn terminal_id(text: &str) -> Result<payment::TerminalId, Problem> {
    payment::TerminalId::parse(text.as_bytes()).ok_or(format!(
        "terminal \"{text}\" must be 8 printable characters"
    ))
}

/// A merchant's number: exactly 15 characters.
pub fn merchant_id(text: &str) -> Result<payment::MerchantId, Problem> {
    payment::MerchantId::parse(text.as_bytes()).ok_or(format!(
        "merchant \"{text}\" must be 15 printable characters"
    ))
}

/// A terminal's number and the ones that follow it, by counting its last digits up.
pub fn terminal_range(first: &str, count: u32) -> Result<Vec<payment::TerminalId>, Problem> {
    let digits = first.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (prefix, number) = first.split_at(first.len() - digits);
    let start: u64 = if digits == 0 {
        0
    } else {
        number
            .parse()
            .map_err(|_| format!("terminal \"{first}\" has too many digits"))?
    };
    if count == 0 || (digits == 0 && count > 1) {
        return Err(format!(
            "terminal \"{first}\": count must be at least 1, and more than 1 needs trailing digits"
        ));
    }
    (0..u64::from(count))
        .map(|n| {
            if digits == 0 {
                terminal_id(first)
            } else {
                terminal_id(&format!("{prefix}{:0digits$}", start + n))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_count_up_and_stay_eight_characters() {
        let ids = terminal_range("T0000099", 2).unwrap();
        assert_eq!(
            ids.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["T0000099", "T0000100"]
        );
        assert!(
            terminal_range("99999999", 2)
                .unwrap_err()
                .contains("8 printable")
        );
        assert!(terminal_range("TERMINAL", 2).is_err());
        assert!(institution("1234x").is_err());
    }
}
