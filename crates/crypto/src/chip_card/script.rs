//! Commands that an issuer sends to its card behind an answer (templates 71 and 72), authenticated by a MAC.
//!
//! Invariant: the MAC covers the transaction's counter and cryptogram, so a script fits one transaction of one card.

use crate::{
    application_cryptogram::{
        CryptogramScheme, Key, ONE_BIT, common_session_key, pboc_session_key,
    },
    engine::{BlockCipher, Engine},
    mac::RetailKey,
    module::SecurityError,
};
use serde::{Deserialize, Serialize};

/// Bytes of the MAC behind the data.
pub(crate) const MAC_BYTES: usize = 4;

/// What an issuer may do to its card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CardScript {
    /// PIN CHANGE/UNBLOCK: the card's own PIN tries start anew.
    UnblockPin,
    /// APPLICATION BLOCK: the card serves nobody any more.
    BlockApplication,
    /// PUT DATA 9F58: so many approvals in a row without the issuer.
    OfflineMax(u8),
}

impl CardScript {
    /// Reads a command whose data end in a MAC.
    pub(super) fn read(header: [u8; 4], data: &[u8]) -> Option<(Self, &[u8])> {
        let (plain, mac) = data.split_at_checked(data.len().checked_sub(MAC_BYTES)?)?;
        let script = match (header, plain) {
            ([0x84, 0x24, 0, 0], []) => Self::UnblockPin,
            ([0x84, 0x1E, 0, 0], []) => Self::BlockApplication,
            ([0x84, 0xDA, 0x9F, 0x58], [count]) => Self::OfflineMax(*count),
            _ => return None,
        };
        Some((script, mac))
    }

    /// Header and length byte, and the data behind them.
    fn plain(self) -> ([u8; 4], Option<u8>) {
        match self {
            Self::UnblockPin => ([0x84, 0x24, 0, 0], None),
            Self::BlockApplication => ([0x84, 0x1E, 0, 0], None),
            Self::OfflineMax(count) => ([0x84, 0xDA, 0x9F, 0x58], Some(count)),
        }
    }

    /// The command as the card reads it, its MAC at the end.
    pub(crate) fn command<E: Engine>(
        self,
        session: &RetailKey<E>,
        counter: [u8; 2],
        request: [u8; 8],
    ) -> Result<Vec<u8>, SecurityError> {
        let (header, data) = self.plain();
        let data = data.as_slice();
        let length = [(data.len() + MAC_BYTES) as u8];
        let mac = self.mac(session, counter, request)?;
        Ok([&header[..], &length, data, &mac].concat())
    }

    /// The left half of the retail MAC over header, length, counter, cryptogram and data (PBOC part 5, secure messaging).
    pub(super) fn mac<E: Engine>(
        self,
        session: &RetailKey<E>,
        counter: [u8; 2],
        request: [u8; 8],
    ) -> Result<[u8; 4], SecurityError> {
        let (header, data) = self.plain();
        let data = data.as_slice();
        let length = [(data.len() + MAC_BYTES) as u8];
        let parts: [&[u8]; 6] = [&header, &length, &counter, &request, data, ONE_BIT];
        let [a, b, c, d, ..] = session.x919(&parts)?;
        Ok([a, b, c, d])
    }
}

/// The key of one transaction's scripts: PBOC derives it from the counter, the common method from the cryptogram.
pub(crate) fn session_key(
    scheme: CryptogramScheme,
    card: &impl BlockCipher<8>,
    counter: [u8; 2],
    request: [u8; 8],
) -> Result<Key, SecurityError> {
    match scheme {
        CryptogramScheme::Pboc => pboc_session_key(card, counter),
        CryptogramScheme::EmvCommon => common_session_key(card, request),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the session key is, the MAC is of this transaction and of all of the command.
    #[test]
    fn every_input_is_under_the_mac() {
        let key = RetailKey::new(&crate::software_engine::SoftwareEngine(()), &[0x31; 16]).unwrap();
        let mac =
            |script: CardScript, counter, request| script.mac(&key, counter, request).unwrap();
        let right = mac(CardScript::OfflineMax(3), [0, 1], [7; 8]);
        for other in [
            mac(CardScript::OfflineMax(4), [0, 1], [7; 8]),
            mac(CardScript::UnblockPin, [0, 1], [7; 8]),
            mac(CardScript::OfflineMax(3), [0, 2], [7; 8]),
            mac(CardScript::OfflineMax(3), [0, 1], [8; 8]),
        ] {
            assert_ne!(right, other);
        }
    }
}
