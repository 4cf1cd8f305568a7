//! Frames and records: what waits in clear becomes records, and what comes as records becomes frames.
//!
//! Invariant: a frame counts as gone only when the last record that holds a byte of it has gone whole, because the other
//! side reads no part of a record.

use rustls::Connection;
use std::collections::VecDeque;
use std::io::{self, Read, Write};

/// Bytes of frames in one record, at most: what TLS allows.
const RECORD_BYTES_MAX: usize = 16 * 1_024;

/// The TLS side of an outbox.
#[derive(Debug)]
pub(super) struct Sealing<I> {
    tls: Connection,
    /// Frames that are in no record yet.
    pub(super) clear: Vec<u8>,
    /// Ends in `clear` of the frames whose loss must be told.
    pub(super) told: VecDeque<(usize, I)>,
}

impl<I> Sealing<I> {
    pub(super) fn new(tls: Connection) -> Self {
        Self {
            tls,
            clear: Vec::new(),
            told: VecDeque::new(),
        }
    }

    /// Bytes that wait to be sealed.
    pub(super) fn waiting(&self) -> usize {
        self.clear.len()
    }

    /// Moves all frames into records at the end of `bytes`, and what must be told of them to where those records end.
    pub(super) fn seal(
        &mut self,
        bytes: &mut Vec<u8>,
        told: &mut VecDeque<(usize, I)>,
    ) -> io::Result<()> {
        let mut sealed = 0;
        while sealed < self.clear.len() {
            let end = self.clear.len().min(sealed + RECORD_BYTES_MAX);
            self.tls.writer().write_all(&self.clear[sealed..end])?;
            self.records(bytes)?;
            sealed = end;
            while let Some((_, input)) = self.told.pop_front_if(|(end, _)| *end <= sealed) {
                told.push_back((bytes.len(), input));
            }
        }
        self.clear.clear();
        Ok(())
    }

    /// Moves what `sealed` holds to the end of `clear`, and what TLS itself answers to the end of `bytes`; false when the
    /// other side has said that nothing more comes.
    pub(super) fn open(
        &mut self,
        sealed: &mut Vec<u8>,
        clear: &mut Vec<u8>,
        bytes: &mut Vec<u8>,
    ) -> Result<bool, rustls::Error> {
        let mut rest = &sealed[..];
        let opened = loop {
            let state = match self.tls.process_new_packets() {
                Ok(state) => state,
                Err(error) => break Err(error),
            };
            let start = clear.len();
            clear.resize(start + state.plaintext_bytes_to_read(), 0);
            if self.tls.reader().read_exact(&mut clear[start..]).is_err() {
                clear.truncate(start);
            }
            if state.peer_has_closed() {
                break Ok(false);
            }
            if rest.is_empty() {
                break Ok(true);
            }
            if self.tls.read_tls(&mut rest).is_err() {
                break Err(rustls::Error::General("records that do not fit".to_owned()));
            }
        };
        sealed.clear();
        // Writing to memory does not fail.
        let _ = self.records(bytes);
        opened
    }

    /// The record that ends a connection.
    pub(super) fn farewell(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.tls.send_close_notify();
        let _ = self.records(&mut bytes);
        bytes
    }

    fn records(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        while self.tls.wants_write() {
            self.tls.write_tls(bytes)?;
        }
        Ok(())
    }
}
