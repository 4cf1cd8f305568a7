//! Issuer script result (脚本处理结果): Tells the issuer what its card made of the scripts behind an answer.

use super::{Flow, Kind, OriginalRule, Reach, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2, §3.10).
pub const ROW: Row = Row {
    kind: Kind::ScriptResult,
    zh: "脚本处理结果",
    en: "Script result",
    mti: Mti(0x0620),
    processing: Some(0),
    processing_host: Some(0),
    condition: Some(0),
    network_code: 951,
    flow: Flow::Advice,
    original: Some(OriginalRule {
        kinds: &[Kind::Purchase, Kind::PreAuth],
        reach: Reach::SameBatch,
    }),
    about: "Tells the issuer what its card made of the scripts behind an answer.",
    ..Row::BASE
};
