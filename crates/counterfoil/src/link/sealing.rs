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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::{Authority, CERTIFICATE_DAYS};
    use crate::link::Identity;
    use crate::link::tls::Trust;
    use payment::Institution;
    use rustls::pki_types::ServerName;
    use std::time::SystemTime;

    /// Two sides that have shaken hands in memory.
    fn pair() -> [Connection; 2] {
        let folder = tempfile::tempdir().expect("a folder");
        let now = SystemTime::now();
        let mut authority = Authority::create(folder.path(), now).expect("an authority");
        let mut trust = |identity| {
            let issued = authority.issue(&identity, CERTIFICATE_DAYS, now);
            Trust::read(&issued.expect("a certificate").0).expect("it reads")
        };
        let host = trust(Identity::Server("network.example".to_owned()));
        let member = trust(Identity::Member(Institution(77)));
        let name = ServerName::try_from("network.example").expect("a name");
        let near = rustls::ClientConnection::new(member.client(), name).expect("a client");
        let far = rustls::ServerConnection::new(host.server()).expect("a server");
        let mut pair = [Connection::from(near), Connection::from(far)];
        while pair.iter().any(|side| side.is_handshaking()) {
            for (from, to) in [(0, 1), (1, 0)] {
                let mut bytes = Vec::new();
                while pair[from].wants_write() {
                    pair[from].write_tls(&mut bytes).expect("memory");
                }
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    pair[to].read_tls(&mut rest).expect("memory");
                    pair[to].process_new_packets().expect("it is genuine");
                }
            }
        }
        pair
    }

    #[test]
    fn a_frame_is_gone_with_the_last_record_that_holds_a_byte_of_it() {
        let [near, far] = pair();
        let mut near: Sealing<usize> = Sealing::new(near);
        let mut ends = Vec::new();
        for length in [100, 4_000, 12_284, 1, 16_384, 40_000, 7] {
            near.clear.extend(vec![length as u8; length]);
            ends.push(near.clear.len());
            near.told.push_back((near.clear.len(), ends.len() - 1));
        }
        let clear = near.clear.clone();
        let (mut bytes, mut told) = (Vec::new(), VecDeque::new());
        near.seal(&mut bytes, &mut told).expect("it is sealed");
        assert_eq!(near.waiting(), 0);
        assert_eq!(told.len(), ends.len());
        assert_eq!(told.back().map(|(end, _)| *end), Some(bytes.len()));
        // The other side, given bytes one after the other, has each frame exactly when it counts as gone.
        let mut far: Sealing<usize> = Sealing::new(far);
        let (mut opened, mut answers) = (Vec::new(), Vec::new());
        for (at, byte) in bytes.iter().enumerate() {
            let mut byte = vec![*byte];
            assert_eq!(far.open(&mut byte, &mut opened, &mut answers), Ok(true));
            for (end, frame) in &told {
                assert_eq!(at + 1 >= *end, opened.len() >= ends[*frame], "byte {at}");
            }
        }
        assert_eq!(opened, clear);
        assert!(answers.is_empty());
        // A forged record breaks it, for good.
        let mut forged = [&[23, 3, 3, 0, 32][..], &[7; 32]].concat();
        far.open(&mut forged, &mut opened, &mut answers)
            .expect_err("it was never sealed");
        far.open(&mut Vec::new(), &mut opened, &mut answers)
            .expect_err("it stays broken");
        assert_eq!(opened, clear);
    }
}
