//! Public key list (公钥查询): The terminal asks which public keys of the schemes there are.

use super::{Flow, Kind, Row};
use crate::download::{Download, Step};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2, §3.9).
pub const ROW: Row = Row {
    kind: Kind::KeyList,
    zh: "公钥查询",
    en: "Public key list",
    mti: Mti(0x0820),
    network_code: 372,
    flow: Flow::Download(Download::PublicKeys, Step::List),
    mac: false,
    about: "The terminal asks which public keys of the schemes there are.",
    ..Row::BASE
};
