//! A slip as a document and its drawings; what the printer's bytes mean; the spool; the printing doctor.
//!
//! Nothing here knows who approved what: no event of a printer can reach an outcome of a payment,
//! and nothing below evidence level E4 is ever called printed.

pub mod acceptance;
pub mod answers;
pub mod bitmap;
pub mod doctor;
pub mod escpos;
pub mod font;
mod gb18030;
mod html;
pub mod installed;
mod picture;
pub mod qr;
pub mod slip;
pub mod spool;
pub mod trouble;
pub mod virtual_printer;

pub use acceptance::{Acceptance, Proof};
pub use answers::{Answer, Answers, Status};
pub use bitmap::Bitmap;
pub use doctor::{Doctor, DoctorEffect, DoctorInput, DoctorRecord};
pub use escpos::Unmappable;
pub use installed::{InstalledPrinter, Means};
pub use picture::NoGlyph;
pub use slip::{
    CardKindTotals, Chip, CopyOf, Cryptogram, Language, PAYMENT_CODE, Paper, PendingItem,
    Reconciled, Report, Reprint, SettlementFields, ShiftFields, Slip, SlipFields, Sum, Title,
    Verification, Words, lay_out, lay_out_settlement, lay_out_shift, mask_pan,
};
pub use spool::{
    CopyKnown, Cut, Evidence, JobState, PaperSeen, Search, SlipFound, Spool, SpoolEffect,
    SpoolInput, SpoolRecord,
};
pub use trouble::Trouble;
pub use virtual_printer::{Echo, Fault, PrintedSlip, Told, VirtualPrinter};
