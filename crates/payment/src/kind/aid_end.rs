//! Chip application download end (IC 卡参数下载结束): The terminal has every application of the list and serves them.

use super::{Flow, Kind, Row};
use crate::download::{Download, Step};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2, §3.9).
pub const ROW: Row = Row {
    kind: Kind::AidEnd,
    zh: "IC 卡参数下载结束",
    en: "Chip application download end",
    mti: Mti(0x0800),
    network_code: 381,
    flow: Flow::Download(Download::Applications, Step::End),
    mac: false,
    about: "The terminal has every application of the list and serves them.",
    ..Row::BASE
};
