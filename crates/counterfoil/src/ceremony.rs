//! The ceremony log: what was done with keys, when and by whom, one line an act.
//!
//! Invariant: a line is never changed; each carries its own digest and that of the line before, and a key store remembers,
//! authenticated, how far the log had come. No line holds anything of a key but its check value.

use crate::config::Problem;
use crate::driver::wall;
use crypto::sha256;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Largest log read.
const BYTES_MAX: u64 = 64 * 1_024 * 1_024;
/// Hex characters of a digest.
const DIGEST: usize = 64;

/// One act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Counted from 1.
    pub line: u64,
    /// China time.
    pub time: String,
    /// The command.
    pub act: String,
    /// Key and generation, or empty.
    pub key: String,
    /// Who took part.
    pub holders: Vec<String>,
    /// Check value of the key or component, or empty.
    pub check_value: String,
    /// Digest of the line before; of the first line, zeros.
    pub previous: String,
}

/// How far a log had come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// Lines.
    pub lines: u64,
    /// Digest of the last.
    pub head: String,
}

impl Default for Anchor {
    fn default() -> Self {
        Self {
            lines: 0,
            head: "0".repeat(DIGEST),
        }
    }
}

/// A log that was read and holds; locked against other commands while it is open.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: File,
    /// Every line with its digest.
    lines: Vec<(String, Line)>,
}

impl Log {
    /// Opens a log for one more act, and makes it when there is none.
    pub fn open(path: &Path) -> Result<Self, Problem> {
        Self::with(
            path,
            OpenOptions::new()
                .read(true)
                .append(true)
                .create(true)
                .mode(0o600),
        )
    }

    /// Opens a log that must be there, to look at it.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        Self::with(path, OpenOptions::new().read(true))
    }

    fn with(path: &Path, options: &OpenOptions) -> Result<Self, Problem> {
        let problem = |error: std::io::Error| format!("{}: {error}", path.display());
        let mut file = options.open(path).map_err(problem)?;
        file.lock().map_err(problem)?;
        if file.metadata().map_err(problem)?.len() > BYTES_MAX {
            return Err(format!("{}: more than {BYTES_MAX} bytes", path.display()));
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(problem)?;
        let lines = check(&text).map_err(|line| {
            format!(
                "{}: line {line} was changed, or does not follow the one before",
                path.display()
            )
        })?;
        Ok(Self {
            path: path.to_owned(),
            file,
            lines,
        })
    }

    /// The acts, oldest first.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().map(|(_, line)| line)
    }

    /// How far it has come.
    pub fn anchor(&self) -> Anchor {
        self.lines
            .last()
            .map_or_else(Anchor::default, |(head, line)| Anchor {
                lines: line.line,
                head: head.clone(),
            })
    }

    /// Whether the log still begins as it was when the anchor was taken.
    pub fn continues(&self, anchor: &Anchor) -> Result<(), Problem> {
        let at = match anchor.lines.checked_sub(1) {
            None => return Ok(()),
            Some(place) => usize::try_from(place)
                .ok()
                .and_then(|place| self.lines.get(place)),
        };
        if at.is_some_and(|(head, _)| *head == anchor.head) {
            return Ok(());
        }
        Err(format!(
            "{}: was cut or rewritten: the key store saw another line {}",
            self.path.display(),
            anchor.lines
        ))
    }

    /// Adds an act; it is on the disk when this returns.
    pub fn append(
        &mut self,
        act: &str,
        key: &str,
        holders: &[String],
        check_value: &str,
    ) -> Result<(), Problem> {
        let anchor = self.anchor();
        let line = Line {
            line: anchor.lines + 1,
            time: wall().text(),
            act: act.to_owned(),
            key: key.to_owned(),
            holders: holders.to_vec(),
            check_value: check_value.to_owned(),
            previous: anchor.head,
        };
        let text = serde_json::to_string(&line).map_err(|error| error.to_string())?;
        let digest = digest(&text);
        let problem = |error: std::io::Error| format!("{}: {error}", self.path.display());
        self.file
            .write_all(format!("{digest} {text}\n").as_bytes())
            .and_then(|()| self.file.sync_all())
            .map_err(problem)?;
        self.lines.push((digest, line));
        Ok(())
    }
}

fn digest(text: &str) -> String {
    sha256(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The lines, or the number of the first that does not hold.
fn check(text: &str) -> Result<Vec<(String, Line)>, u64> {
    let mut lines = Vec::new();
    let mut anchor = Anchor::default();
    for text in text.split_inclusive('\n') {
        let number = anchor.lines + 1;
        let (head, line) = one(text)
            .filter(|(_, line)| line.line == number && line.previous == anchor.head)
            .ok_or(number)?;
        anchor = Anchor {
            lines: number,
            head: head.clone(),
        };
        lines.push((head, line));
    }
    Ok(lines)
}

fn one(text: &str) -> Option<(String, Line)> {
    let (head, text) = text.strip_suffix('\n')?.split_once(' ')?;
    let line = serde_json::from_str(text).ok()?;
    (digest(text) == head).then(|| (head.to_owned(), line))
}
