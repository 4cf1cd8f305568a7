//! The pages, rendered from views and read.

mod cardholder;
mod frame;
