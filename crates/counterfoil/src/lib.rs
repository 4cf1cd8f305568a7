//! The program: runs the parties on real sockets and disks.

pub mod driver;
pub mod journal;
pub mod link;
pub mod log;
pub mod webhook;
