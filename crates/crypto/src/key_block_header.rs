//! What the header of a key block says of a key, and what this system says: usage, algorithm, mode of use, exportability.
//!
//! Invariant: a key comes in only for the usage its header names, and with every restriction that the header puts on it.

use crate::{
    key::{KeyAlgorithm, KeyUsage},
    key_block::{KeyBlockError, Opened},
    wrapped_key::{KeyMode, WrappedKey},
};

/// Modes of use by which half of a usage they allow: both, out, in. `N` restricts nothing.
struct Modes([u8; 3]);

const CIPHER: Modes = Modes(*b"BED");
const CHECK: Modes = Modes(*b"CGV");
/// A master key only derives others, in either direction: mode `X`.
const DERIVATION: Modes = Modes([b'X'; 3]);
const UNRESTRICTED: u8 = b'N';

/// The header's usage and modes of a usage; `None` for keys that no key block carries.
fn of(usage: KeyUsage, algorithm: KeyAlgorithm, bytes: usize) -> Option<([u8; 2], Modes)> {
    use KeyAlgorithm::{Aes, Des};
    let (code, modes) = match (usage, algorithm) {
        (KeyUsage::TerminalMaster | KeyUsage::HostMaster, _) => (b"K0", CIPHER),
        (KeyUsage::KeyBlockProtection, _) => (b"K1", CIPHER),
        (KeyUsage::Pin, _) => (b"P0", CIPHER),
        (KeyUsage::Track, _) => (b"D0", CIPHER),
        (KeyUsage::Mac, Aes) => (b"M6", CHECK),
        (KeyUsage::Mac, Des) if bytes == 8 => (b"M1", CHECK),
        (KeyUsage::Mac, Des) => (b"M3", CHECK),
        (KeyUsage::PinVerification, _) => (b"V1", CHECK),
        (KeyUsage::PinVerificationValue, _) => (b"V2", CHECK),
        (KeyUsage::CardVerification, _) => (b"C0", CHECK),
        (KeyUsage::CryptogramMaster, _) => (b"E0", DERIVATION),
        (KeyUsage::ScriptMaster, _) => (b"E2", DERIVATION),
        (KeyUsage::PanSeal | KeyUsage::PanToken | KeyUsage::Certificate, _) => return None,
    };
    Some((*code, modes))
}

/// The header behind its length field, of a key that leaves: exportable again, without optional blocks.
pub(crate) fn write(key: &WrappedKey) -> Result<String, KeyBlockError> {
    let bytes = usize::from(key.bits() / 8);
    let (usage, modes) = of(key.usage(), key.algorithm(), bytes)
        .filter(|_| key.exportable())
        .ok_or(KeyBlockError::Exportability)?;
    let algorithm = match (key.algorithm(), bytes) {
        (KeyAlgorithm::Aes, _) => 'A',
        (KeyAlgorithm::Des, 8) => 'D',
        (KeyAlgorithm::Des, _) => 'T',
    };
    let Modes([both, out, one_in]) = modes;
    let mode = match key.mode() {
        KeyMode::Both => both,
        KeyMode::Out => out,
        KeyMode::In => one_in,
    };
    let [u1, u2] = usage.map(char::from);
    Ok(format!("{u1}{u2}{algorithm}{}00E0000", char::from(mode)))
}

/// Cipher, mode and exportability of a key that comes in for `usage`, or why it may not.
pub(crate) fn read(
    usage: KeyUsage,
    opened: &Opened,
) -> Result<(KeyAlgorithm, KeyMode, bool), KeyBlockError> {
    let algorithm = match opened.algorithm {
        b'D' | b'T' => KeyAlgorithm::Des,
        b'A' => KeyAlgorithm::Aes,
        _ => return Err(KeyBlockError::Usage),
    };
    let (_, Modes([both, out, one_in])) = of(usage, algorithm, opened.key.len())
        .filter(|(code, _)| *code == opened.usage)
        .ok_or(KeyBlockError::Usage)?;
    let mode = match opened.mode {
        mode if mode == both || mode == UNRESTRICTED => KeyMode::Both,
        mode if mode == out => KeyMode::Out,
        mode if mode == one_in => KeyMode::In,
        _ => return Err(KeyBlockError::Mode),
    };
    Ok((algorithm, mode, opened.exportability != b'N'))
}
