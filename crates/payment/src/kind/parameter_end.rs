//! Parameter download end (参数下载结束): The terminal has its parameters and goes by them.

use super::{Flow, Kind, Row};
use crate::download::{Download, Step};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2, §3.9).
pub const ROW: Row = Row {
    kind: Kind::ParameterEnd,
    zh: "参数下载结束",
    en: "Parameter download end",
    mti: Mti(0x0800),
    network_code: 361,
    flow: Flow::Download(Download::Parameters, Step::End),
    mac: false,
    about: "The terminal has its parameters and goes by them.",
    ..Row::BASE
};
