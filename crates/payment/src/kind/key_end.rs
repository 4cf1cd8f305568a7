//! Public key download end (公钥下载结束): The terminal has every public key of the list.

use super::{Flow, Kind, Row};
use crate::download::{Download, Step};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2, §3.9).
pub const ROW: Row = Row {
    kind: Kind::KeyEnd,
    zh: "公钥下载结束",
    en: "Public key download end",
    mti: Mti(0x0800),
    network_code: 371,
    flow: Flow::Download(Download::PublicKeys, Step::End),
    mac: false,
    about: "The terminal has every public key of the list.",
    ..Row::BASE
};
