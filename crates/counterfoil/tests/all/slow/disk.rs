//! A full disk under a whole process: it takes nothing more, says why and ends; with room again it comes back, the open
//! sale heals, and nothing that a cashier saw approved is lost.

use super::books::{Approvals, Books};
use crate::installation::{HOSTS, Installation, PROGRAM, Process, start_till};
use crate::wait_until;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Room for some hundred sales.
const SMALL_BYTES: usize = 4 << 20;
/// More sales than that fit.
const SALES_MAX: usize = 5_000;

#[test]
fn a_full_disk_stops_a_host_and_loses_nothing() {
    for host in HOSTS {
        fill_and_come_back(host);
    }
}

fn fill_and_come_back(host: &str) {
    let installation = Installation::new([400, 600, 800, 1_200]);
    installation.adjust("acquirer.toml", &[("confirm_within_ms", "5000")]);
    let space = Space::small(&installation.data(host));
    let [network, others] = [vec!["network"], vec!["acquirer", "issuer"]];
    let mut hosts: Vec<(&str, Process)> = network
        .into_iter()
        .chain(others)
        .map(|name| {
            (
                name,
                if name == host {
                    space.start(&installation, name)
                } else {
                    installation.start(name)
                },
            )
        })
        .collect();
    installation.wait_for_members();
    let mut till =
        start_till(&installation.terminal(1, &[("idle_report_ms", "100"), ("query_ms", "500")]));
    till.expect_screen("signed-on");

    let mut seen = Approvals::new();
    let mut sales = 0;
    while process(&mut hosts, host).is_alive() {
        assert!(sales < SALES_MAX, "the disk of the {host} never filled");
        sales += 1;
        let ended = sell(&mut till);
        if ended["screen"] == "approved" {
            seen.insert(ended["sale"].as_str().expect("a sale").to_owned(), 101);
        } else {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    let full = process(&mut hosts, host);
    let status = full.wait();
    let words = full.lines().join("\n");
    println!("{host}: {} approvals, then {status}: {words}", seen.len());
    assert!(
        seen.len() > 10,
        "{host} took only {} sales: {words}",
        seen.len()
    );
    assert!(!status.success(), "{host} ended as if all were well");
    assert!(
        words.contains("journal.db") && (words.contains("full") || words.contains("I/O")),
        "{host} said: {words}"
    );
    // Without it nothing is approved.
    assert_ne!(sell(&mut till)["screen"], "approved");

    space.widen();
    *process(&mut hosts, host) = installation.start(host);
    installation.wait_for_members();
    let books = Books::at(&installation, 1);
    books.wait_until_closed(Duration::from_secs(60));
    wait_until("sales go through again", || {
        let ended = sell(&mut till);
        let approved = ended["screen"] == "approved";
        if approved {
            seen.insert(ended["sale"].as_str().expect("a sale").to_owned(), 101);
        }
        approved
    });
    for sale in seen.keys() {
        assert_eq!(
            installation.where_is(sale).expect("it is found")["outcome"],
            "approved",
            "{sale}"
        );
    }
    books.wait_until_closed(Duration::from_secs(60));
    assert!(till.stop().success());
    for (_, process) in &mut hosts {
        assert!(process.stop().success());
    }
    println!("{host}: {}", books.check(&seen));
    books.verify(seen.len());
}

fn process<'a>(hosts: &'a mut [(&str, Process)], name: &str) -> &'a mut Process {
    &mut hosts
        .iter_mut()
        .find(|(host, _)| *host == name)
        .expect("one of them")
        .1
}

/// One sale, until the till shows how it ended, or that it must wait: without the acquirer a reversal has no end.
fn sell(till: &mut Process) -> Value {
    assert!(till.tell("sale 1.01"));
    let mut ended = Value::Null;
    let began = Instant::now();
    while ended.is_null() {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "the sale does not end: {:#?}",
            last(till, 20)
        );
        std::thread::sleep(Duration::from_millis(2));
        while let Some(line) = till.next_line() {
            let Ok(line) = serde_json::from_str::<Value>(&line) else {
                // A line of its log.
                continue;
            };
            match line["screen"].as_str().expect("a screen") {
                "ask-goods" => {
                    till.tell("no");
                }
                "approved" | "declined" | "not-sent" | "reversing" | "reversed" | "case"
                | "busy" => {
                    ended = line;
                }
                _ => {}
            }
        }
    }
    ended
}

fn last(process: &Process, count: usize) -> Vec<String> {
    let lines = process.lines();
    lines[lines.len().saturating_sub(count)..].to_vec()
}

/// A data directory with little room: a small file system where one may be mounted, else a limit on the size of files.
enum Space {
    Mounted(PathBuf),
    Limited,
}

impl Space {
    fn small(data: &Path) -> Self {
        fs::create_dir_all(data).expect("the data directory");
        let size = format!("size={SMALL_BYTES}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(data)
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            Self::Mounted(data.to_owned())
        } else {
            println!(
                "nothing can be mounted here: a limit on the size of files stands in for a full disk"
            );
            Self::Limited
        }
    }

    fn start(&self, installation: &Installation, host: &str) -> Process {
        match self {
            Self::Mounted(_) => installation.start(host),
            Self::Limited => {
                let config = installation.path(&format!("{host}.toml"));
                let limited = format!(
                    "trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"",
                    SMALL_BYTES / 512
                );
                let mut command = Command::new("sh");
                command
                    .args(["-c", &limited, PROGRAM, host, "--config"])
                    .arg(config);
                let mut process = Process::spawn(&mut command);
                process.expect_line(&format!("{host} ready"));
                process
            }
        }
    }

    /// Makes room again; for a limited process its next start does.
    fn widen(&self) {
        if let Self::Mounted(data) = self {
            let wide = Command::new("mount")
                .args(["-o", "remount,size=256m"])
                .arg(data)
                .status();
            assert!(wide.expect("mount runs").success());
        }
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        if let Self::Mounted(data) = self {
            // Lazily: a process that is being killed may still hold a file.
            let _ = Command::new("umount").arg("-l").arg(data).status();
        }
    }
}
