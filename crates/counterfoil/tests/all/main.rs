//! The wiring of the program, tried on real sockets and disks.

mod accept;
mod archive;
mod authority;
mod batch;
mod bench;
mod console;
mod doctor;
mod downloads;
mod driver;
mod echo;
mod eslips;
mod full_disk;
mod installation;
mod journal;
mod keys;
mod kill;
mod ledger_first;
mod links;
mod members;
mod money;
mod outbox;
mod pages;
mod pairs;
mod people;
mod printer;
mod printer_liars;
mod process;
mod recall;
mod recovery;
mod same_sentence;
mod shop;
mod slow;
mod terminals;
mod till_page;
mod tls;
mod token;
mod traces;
mod vectors;
mod verify_page;
mod wallets;
mod webhook;
mod words;

use std::time::{Duration, Instant};

/// Waits until `reached` says so. The deadline only turns a hang into a failure.
#[track_caller]
fn wait_until(what: &str, mut reached: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(30);
    while !reached() {
        assert!(Instant::now() < patience, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A runtime as the program has one.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime starts")
}
