//! The write-ahead log before recovery: SQLite stops at the first frame that does not read, and takes that for the end.
//!
//! A commit is flushed before the next one is written, so at most the last commit may be torn. Whole commits behind a bad
//! frame mean that acknowledged rows would silently be lost: then the party must not start (D4).

use super::JournalError;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
/// Magic of a log whose checksums read words with the most significant byte first; the other one has one less.
const MAGIC_BIG: u32 = 0x377f_0683;

/// Refuses a write-ahead log that is damaged anywhere but in its last commit; a log that is not there is fine.
pub(super) fn check(database: &Path) -> Result<(), JournalError> {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    let path = PathBuf::from(name);
    let failed = |error| JournalError::File {
        path: path.clone(),
        error,
    };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    match bad_frame(BufReader::with_capacity(1 << 20, file)).map_err(failed)? {
        Some(offset) => Err(JournalError::DamagedLog { path, offset }),
        None => Ok(()),
    }
}

/// The offset of a bad frame that has whole commits behind it.
fn bad_frame(mut log: impl Read) -> std::io::Result<Option<u64>> {
    let mut header = [0; HEADER_BYTES];
    if !fill(&mut log, &mut header)? {
        return Ok(None);
    }
    let big = word(&header, 0) == MAGIC_BIG;
    let page_bytes = word(&header, 8) as usize;
    let mut sum = checksum(big, [0, 0], &header[..24]);
    if sum != [word(&header, 24), word(&header, 28)] {
        // A log is reset with two new salts; a first frame that shares one with a bad header was written under it.
        let mut first = [0; FRAME_HEADER_BYTES];
        let under_it = fill(&mut log, &mut first)?
            && (first[8..12] == header[16..20] || first[12..16] == header[20..24]);
        return Ok(under_it.then_some(0));
    }
    let mut frame = vec![0; FRAME_HEADER_BYTES + page_bytes];
    let mut offset = HEADER_BYTES as u64;
    let mut bad = None;
    let mut commits_behind = 0;
    while fill(&mut log, &mut frame)? {
        let (head, page) = frame.split_at(FRAME_HEADER_BYTES);
        let of_this_log = head[8..16] == header[16..24];
        let commits = of_this_log && word(head, 4) != 0;
        if bad.is_some() {
            commits_behind += u32::from(commits);
            if commits_behind > 1 {
                return Ok(bad);
            }
        } else {
            sum = checksum(big, checksum(big, sum, &head[..8]), page);
            if !of_this_log || sum != [word(head, 16), word(head, 20)] {
                bad = Some(offset);
                commits_behind = u32::from(commits);
            }
        }
        offset += frame.len() as u64;
    }
    Ok(None)
}

/// The log's running checksum over a multiple of eight bytes.
fn checksum(big: bool, [mut a, mut b]: [u32; 2], bytes: &[u8]) -> [u32; 2] {
    for pair in bytes.chunks_exact(8) {
        let [first, second] = [0, 4].map(|at| {
            let word = word(pair, at);
            if big { word } else { word.swap_bytes() }
        });
        a = a.wrapping_add(first).wrapping_add(b);
        b = b.wrapping_add(second).wrapping_add(a);
    }
    [a, b]
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Fills `buffer`, or says that there were not enough bytes.
fn fill(log: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<bool> {
    match log.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
