//! Every page as a function of what it shows: a view goes in, HTML comes out. The same view is what the API answers.
//!
//! A page asks nobody: no socket, no table, no clock. It shows what it is given, with the age that it is given, and so it
//! cannot be ahead of the ledger. What comes from outside is text; markup is written here alone.

pub mod api;
pub mod cardholder;
pub mod chip;
pub mod console;
mod frame;
pub mod lab;
mod language;
pub mod merchant;
pub mod people;
pub mod plot;
pub mod ring;
pub mod sale;
pub mod served;
pub mod till;
pub mod verdict_card;

pub use frame::{Area, Frame, PAGE_BYTES_MAX, Place};
pub use language::{Lang, Words};
pub use maud::{Markup, html};
pub use sale::SaleView;
