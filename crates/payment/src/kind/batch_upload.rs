//! Batch upload (批上送): What a batch holds, record by record where the totals differ, and the end of the batch.

use super::{Flow, Kind, Row};
use iso8583::Mti;

/// The row (UnionPay-style reference §3.2, §3.8); field 60.3 varies with the part that is uploaded.
pub const ROW: Row = Row {
    kind: Kind::BatchUpload,
    zh: "批上送",
    en: "Batch upload",
    mti: Mti(0x0320),
    network_code: 201,
    flow: Flow::Batch,
    mac: false,
    about: "What a batch holds, record by record where the totals differ, and the end of the batch.",
    ..Row::BASE
};
