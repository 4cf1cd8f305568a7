//! The pages, rendered from views and read.

mod frame;
