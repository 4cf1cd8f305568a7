//! Chip application list (IC 卡参数查询): The terminal asks which applications of chip cards it shall serve.

use super::{Flow, Kind, Row};
use crate::download::{Download, Step};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2, §3.9).
pub const ROW: Row = Row {
    kind: Kind::AidList,
    zh: "IC 卡参数查询",
    en: "Chip application list",
    mti: Mti(0x0820),
    network_code: 382,
    flow: Flow::Download(Download::Applications, Step::List),
    mac: false,
    about: "The terminal asks which applications of chip cards it shall serve.",
    ..Row::BASE
};
