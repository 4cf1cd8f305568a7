//! Chip application download (IC 卡参数下载): The terminal fetches the parameters of one application: action codes and limits.

use super::{Flow, Kind, Row};
use crate::download::{Download, Step};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2, §3.9).
pub const ROW: Row = Row {
    kind: Kind::AidDownload,
    zh: "IC 卡参数下载",
    en: "Chip application download",
    mti: Mti(0x0800),
    network_code: 380,
    flow: Flow::Download(Download::Applications, Step::Take),
    mac: false,
    about: "The terminal fetches the parameters of one application: action codes and limits.",
    ..Row::BASE
};
