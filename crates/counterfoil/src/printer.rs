//! Both ends of a receipt printer: the virtual printer as a program of its own, the link from a terminal's spool to
//! any printer, and the test that finds out whether its word can be believed.
//!
//! What the spool is told is what the line said, in order; a loss that belongs to an older connection never reaches it.

mod acceptance;
mod bench;
mod folder;
mod page;
mod spool_link;
mod transport;

pub use acceptance::{Tested, Unguessable, accept};
pub use bench::{Bench, Words};
pub use folder::Folder;
pub use page::page;
pub use spool_link::{SpoolLine, connect};
pub use transport::PrinterAddress;
