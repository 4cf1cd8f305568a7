//! Who a certificate names: terminals of one merchant, a member of the network, or a server.
//!
//! Invariant: a certificate that names two of these, or one of them badly, names nobody.

use crate::config::{Problem, institution, merchant_id, terminal_id};
use iso8583::{Dialect, Message, Mti, frame};
use payment::{Institution, MerchantId, TerminalId};
use std::fmt;

use super::LinkCount;

/// Terminals that one certificate may name: as many as a TPDU has addresses.
pub const CERTIFICATE_TERMINALS_MAX: u32 = 65_536;

const TERMINAL: &str = "urn:counterfoil:terminal:";
const MERCHANT: &str = "urn:counterfoil:merchant:";
const MEMBER: &str = "urn:counterfoil:member:";

/// Whom a certificate names, in its subject alternative names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A terminal, or a row of them behind one line: `urn:counterfoil:terminal:T0000001` or `…:T0000001:16`, with
    /// `urn:counterfoil:merchant:` and field 42.
    Terminals(TerminalRow),
    /// A member of the network: `urn:counterfoil:member:48020000`.
    Member(Institution),
    /// A host that others connect to: a DNS name.
    Server(String),
}

impl Identity {
    /// Reads the names of a certificate.
    pub(super) fn of(certificate: &webpki::Cert<'_>) -> Option<Self> {
        let uris: Vec<&str> = certificate.valid_uri_names().collect();
        let dns: Vec<&str> = certificate.valid_dns_names().collect();
        match (uris[..].as_ref(), &dns[..]) {
            ([], [name]) => Some(Self::Server((*name).to_owned())),
            ([uri], []) => Some(Self::Member(institution(uri.strip_prefix(MEMBER)?).ok()?)),
            ([one, other], []) => {
                let (terminal, merchant) = match one.strip_prefix(TERMINAL) {
                    Some(terminal) => (terminal, other.strip_prefix(MERCHANT)?),
                    None => (other.strip_prefix(TERMINAL)?, one.strip_prefix(MERCHANT)?),
                };
                let (first, count) = match terminal.split_once(':') {
                    Some((first, count)) => (first, count.parse().ok()?),
                    None => (terminal, 1),
                };
                TerminalRow::new(first, count, merchant)
                    .ok()
                    .map(Self::Terminals)
            }
            _ => None,
        }
    }

    /// The URIs that stand for it in a certificate; a server has none.
    pub(crate) fn uris(&self) -> Vec<String> {
        match self {
            Self::Terminals(row) => {
                let count = match row.count {
                    1 => String::new(),
                    count => format!(":{count}"),
                };
                vec![
                    format!("{TERMINAL}{}{count}", row.first),
                    format!("{MERCHANT}{}", row.merchant),
                ]
            }
            Self::Member(member) => vec![format!("{MEMBER}{member}")],
            Self::Server(_) => Vec::new(),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Terminals(row) => write!(f, "{row}"),
            Self::Member(member) => write!(f, "member {member}"),
            Self::Server(name) => write!(f, "server {name}"),
        }
    }
}

/// Terminals of one merchant, counted up from the first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TerminalRow {
    first: TerminalId,
    count: u32,
    merchant: MerchantId,
}

impl TerminalRow {
    /// A row; its numbers are letters and digits, and its last one is still eight characters.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(first: &str, count: u32, merchant: &str) -> Result<Self, Problem> {
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !plain(first) || !plain(merchant) {
            return Err(format!(
                "terminal \"{first}\", merchant \"{merchant}\": a certificate names letters and digits only"
            ));
        }
        let row = Self {
            first: terminal_id(first)?,
            count,
            merchant: merchant_id(merchant)?,
        };
        let fits = match trailing_digits(&row.first.0) {
            (_, None) => count == 1,
            (head, Some(number)) => {
                let room = 10_u64.pow(8 - head as u32);
                (1..=CERTIFICATE_TERMINALS_MAX).contains(&count)
                    && number + u64::from(count) <= room
            }
        };
        if fits {
            Ok(row)
        } else {
            Err(format!(
                "terminal \"{first}\": {count} numbers do not count up from it within eight characters"
            ))
        }
    }

    /// What its files are called.
    pub(crate) fn stem(&self) -> String {
        match self.count {
            1 => self.first.to_string(),
            count => format!("{}-{count}", self.first),
        }
    }

    fn contains(&self, terminal: &[u8]) -> bool {
        let (head, Some(first)) = trailing_digits(&self.first.0) else {
            return terminal == self.first.0;
        };
        let Some((start, digits)) = terminal.split_at_checked(head) else {
            return false;
        };
        let number = Some(digits)
            .filter(|digits| {
                digits.len() == self.first.0.len() - head && digits.iter().all(u8::is_ascii_digit)
            })
            .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        let last = first + u64::from(self.count);
        start == &self.first.0[..head]
            && number.is_some_and(|number: u64| (first..last).contains(&number))
    }
}

impl fmt::Display for TerminalRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "terminal {}", self.first)?;
        if self.count > 1 {
            write!(f, " and {} more", self.count - 1)?;
        }
        write!(f, " of merchant {}", self.merchant)
    }
}

/// Where the digits at the end begin, and their value.
fn trailing_digits(id: &[u8]) -> (usize, Option<u64>) {
    let digits = id.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let head = id.len() - digits;
    let number = std::str::from_utf8(&id[head..]).ok();
    (head, number.and_then(|number| number.parse().ok()))
}

/// Holds the frames of a terminal connection against the certificate that opened it.
#[derive(Debug)]
pub(super) struct Doorman {
    row: TerminalRow,
    message: Message,
}

impl Doorman {
    pub(super) fn new(row: TerminalRow) -> Self {
        Self {
            row,
            message: Message::new(Mti(0)),
        }
    }

    /// Why this frame may not pass: fields 41 and 42 are not those of the certificate, or cannot be read.
    pub(super) fn look(&mut self, frame: &[u8]) -> Result<(), LinkCount> {
        let (_, body) = frame::open_terminal(frame).map_err(|_| LinkCount::Garbage)?;
        Dialect::terminal()
            .decode(body, &mut self.message)
            .map_err(|_| LinkCount::Garbage)?;
        let terminal = self.message.get(41).unwrap_or_default();
        let merchant = self.message.get(42).unwrap_or_default();
        let refused = if !self.row.contains(terminal) {
            LinkCount::WrongTerminal
        } else if merchant != self.row.merchant.0 {
            LinkCount::WrongMerchant
        } else {
            return Ok(());
        };
        tracing::warn!(
            certificate = %self.row,
            terminal = %terminal.escape_ascii(),
            merchant = %merchant.escape_ascii(),
            "a frame speaks for somebody else than its certificate"
        );
        Err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MERCHANT_ID: &str = "898100053110001";

    #[test]
    fn a_row_contains_its_numbers_and_no_other() {
        let row = |first, count| TerminalRow::new(first, count, MERCHANT_ID);
        for (first, count, inside, outside) in [
            (
                "T0000001",
                1,
                &["T0000001"][..],
                &["T0000002", "T0000000", "P0000001", "T000001"][..],
            ),
            (
                "T0000099",
                2,
                &["T0000099", "T0000100"],
                &["T0000098", "T0000101", "T00001 0"],
            ),
            (
                "99999998",
                2,
                &["99999998", "99999999"],
                &["99999997", "9999999", "999999980"],
            ),
            ("TERMINAL", 1, &["TERMINAL"], &["TERMINA1", "TERMINA", ""]),
        ] {
            let row = row(first, count).expect("a row");
            for id in inside {
                assert!(row.contains(id.as_bytes()), "{id} of {row}");
            }
            for id in outside {
                assert!(!row.contains(id.as_bytes()), "{id} of {row}");
            }
        }
        for (first, count) in [
            ("99999998", 3),
            ("TERMINAL", 2),
            ("T0000001", 0),
            ("T0000001", CERTIFICATE_TERMINALS_MAX + 1),
            ("T000000", 1),
            ("T0:00001", 1),
        ] {
            row(first, count).expect_err(first);
        }
    }
}
