//! Public key download (公钥下载): The terminal fetches one public key and checks its checksum.

use super::{Flow, Kind, Row};
use crate::download::{Download, Step};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2, §3.9).
pub const ROW: Row = Row {
    kind: Kind::KeyDownload,
    zh: "公钥下载",
    en: "Public key download",
    mti: Mti(0x0800),
    network_code: 370,
    flow: Flow::Download(Download::PublicKeys, Step::Take),
    mac: false,
    about: "The terminal fetches one public key and checks its checksum.",
    ..Row::BASE
};
