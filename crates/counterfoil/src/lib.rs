//! The program: runs the parties on real sockets and disks.

pub mod archive;
pub mod bench;
pub mod command;
pub mod config;
pub mod control;
pub mod demo;
pub mod driver;
pub mod eslip;
pub mod fault;
pub mod fleet;
pub mod journal;
pub mod link;
pub mod log;
pub mod outbox;
pub mod party;
pub mod printer;
pub mod qr;
pub mod recall;
pub mod replay;
pub mod verify;
pub mod view;
pub mod webhook;
pub mod witness;
