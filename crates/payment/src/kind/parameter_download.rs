//! Parameter download (参数下载): The terminal fetches its parameters: what it may offer, tips, how often it sends again.

use super::{Flow, Kind, Row};
use crate::download::{Download, Step};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2, §3.9); 364 is taken too (reference §10.1).
pub const ROW: Row = Row {
    kind: Kind::ParameterDownload,
    zh: "参数下载",
    en: "Parameter download",
    mti: Mti(0x0800),
    network_code: 360,
    flow: Flow::Download(Download::Parameters, Step::Take),
    mac: false,
    about: "The terminal fetches its parameters: what it may offer, tips, how often it sends again.",
    ..Row::BASE
};
