//! A slip as a document, drawn as text and ESC/POS; what the printer's bytes mean; the spool; the printing doctor.
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
pub mod profile;
pub mod slip;
pub mod spool;
pub mod trouble;
pub mod virtual_printer;

pub use acceptance::{Acceptance, Proof};
pub use answers::{Answer, Answers, Status};
pub use bitmap::Bitmap;
pub use doctor::{Doctor, DoctorEffect, DoctorInput, DoctorRecord};
pub use escpos::Unmappable;
pub use profile::PrinterProfile;
pub use slip::{
    CopyOf, Language, Paper, Reprint, Slip, SlipFields, Title, Words, lay_out, mask_pan,
};
pub use spool::{
    CopyKnown, Cut, Evidence, JobState, PaperSeen, Search, SlipFound, Spool, SpoolEffect,
    SpoolInput, SpoolRecord,
};
pub use trouble::Trouble;
pub use virtual_printer::{Echo, Fault, PrintedSlip, Told, VirtualPrinter};
