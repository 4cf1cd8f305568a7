//! Two hundred kills: acquirer, network, issuer and terminals die at random moments under load and come back; afterwards
//! nothing that a cashier saw approved is lost, nothing is debited twice, and every loop is closed.

use super::books::{Approvals, Books};
use super::draw::Draw;
use crate::installation::{Installation, Process, SHORT_LADDER_MS, start_till};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const KILLS: usize = 200;
const TILLS: u32 = 4;
/// Between two kills, in milliseconds.
const PAUSE_MS: (usize, usize) = (50, 700);
/// How long the open loops may take to close once nobody is killed any more.
const HEALS_WITHIN: Duration = Duration::from_secs(90);

#[test]
fn two_hundred_kills_lose_nothing() {
    let began = Instant::now();
    let seed = std::env::var("COUNTERFOIL_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20_261_122);
    println!("seed {seed} (COUNTERFOIL_SEED)");
    let mut draw = Draw(seed);
    let installation = Installation::new(SHORT_LADDER_MS);
    installation.adjust(
        "acquirer.toml",
        &[
            ("confirm_within_ms", "2000"),
            ("reversal_gaps_ms", "[100, 200, 300]"),
        ],
    );
    installation.adjust("network.toml", &[("reversal_gaps_ms", "[100, 200, 300]")]);
    let settings = [
        ("idle_report_ms", "100"),
        ("query_ms", "300"),
        ("dialogue_ms", "1500"),
        ("goods_question_ms", "1000"),
        ("reversal_gaps_ms", "[100, 200, 300]"),
    ];
    let mut hosts = installation.start_hosts();
    let tills: Vec<Arc<Till>> = (1..=TILLS)
        .map(|n| Till::open(installation.terminal(n, &settings), seed + u64::from(n)))
        .collect();
    let sellers: Vec<_> = tills
        .iter()
        .map(|till| {
            let till = Arc::clone(till);
            std::thread::spawn(move || till.sell())
        })
        .collect();

    let mut kills: BTreeMap<&str, usize> = BTreeMap::new();
    for n in 0..KILLS {
        std::thread::sleep(Duration::from_millis(
            (PAUSE_MS.0 + draw.below(PAUSE_MS.1 - PAUSE_MS.0)) as u64,
        ));
        let victim = ["acquirer", "network", "issuer", "terminal"][(n + draw.below(2)) % 4];
        *kills.entry(victim).or_default() += 1;
        if victim == "terminal" {
            tills[draw.below(tills.len())]
                .process
                .lock()
                .expect("no panic")
                .kill();
        } else {
            let host = hosts
                .iter_mut()
                .zip(["acquirer", "network", "issuer"])
                .find(|(_, name)| *name == victim);
            let (process, _) = host.expect("one of three");
            process.kill();
            std::thread::sleep(Duration::from_millis(draw.below(400) as u64));
            *process = installation.start(victim);
        }
        if n % 20 == 19 {
            println!(
                "{:>5.1} s  {} kills, {} approvals seen",
                began.elapsed().as_secs_f32(),
                n + 1,
                approvals(&tills).len()
            );
        }
    }
    tills
        .iter()
        .for_each(|till| till.closing.store(true, SeqCst));
    sellers
        .into_iter()
        .for_each(|seller| seller.join().expect("no panic"));
    let killed_for = began.elapsed();

    let books = Books::at(&installation, TILLS);
    let healing = Instant::now();
    books.wait_until_closed(HEALS_WITHIN);
    println!(
        "{:>5.1} s  every loop is closed",
        began.elapsed().as_secs_f32()
    );
    for till in &tills {
        assert!(till.process.lock().expect("no panic").stop().success());
    }
    for host in &mut hosts {
        assert!(host.stop().success(), "{:#?}", host.lines());
    }

    let seen = approvals(&tills);
    let summary = books.check(&seen);
    println!(
        "kills {kills:?} in {:.0} s, healed in {:.1} s",
        killed_for.as_secs_f32(),
        healing.elapsed().as_secs_f32()
    );
    println!("screens {:?}", screens(&tills));
    println!("{summary}");
    assert_eq!(kills.values().sum::<usize>(), KILLS);
    assert!(
        kills.len() == 4 && kills.values().all(|count| *count >= KILLS / 8),
        "{kills:?}"
    );
    assert!(
        seen.len() >= KILLS,
        "too little load: {} approvals",
        seen.len()
    );
    books.verify(seen.len());
}

/// What a till showed: the screen, the sale, the words.
type Shown = (String, Option<String>, String);

/// A cashier at a till: sells, and writes down what the till showed.
struct Till {
    config: PathBuf,
    seed: u64,
    closing: AtomicBool,
    process: Mutex<Process>,
    shown: Mutex<Vec<Shown>>,
}

impl Till {
    fn open(config: PathBuf, seed: u64) -> Arc<Self> {
        let process = Mutex::new(start_till(&config));
        Arc::new(Self {
            config,
            seed,
            closing: AtomicBool::new(false),
            process,
            shown: Mutex::default(),
        })
    }

    /// Sells until the shop closes; a till that was killed is switched on again.
    fn sell(&self) {
        let mut draw = Draw(self.seed);
        let mut selling: Option<Instant> = None;
        while !(self.closing.load(SeqCst) && selling.is_none()) {
            let mut process = self.process.lock().expect("no panic");
            let silent = process.is_silent();
            let line = process.next_line();
            match line {
                Some(line) => self.look(&line, &mut process, &mut selling, &mut draw),
                None if silent => {
                    // What it had not shown yet, it says after the start or never.
                    *process = start_till(&self.config);
                    selling = None;
                }
                None => {
                    drop(process);
                    std::thread::sleep(Duration::from_millis(2));
                    let waited_long =
                        selling.is_some_and(|since| since.elapsed() > Duration::from_secs(3));
                    if waited_long {
                        selling = None;
                    }
                    if selling.is_none() && !self.closing.load(SeqCst) {
                        std::thread::sleep(Duration::from_millis(draw.below(30) as u64));
                        // No amount of another till: that would be held back while the other's sale is in doubt.
                        let tills = u64::from(TILLS);
                        let fen = 1 + tills * draw.below(75) as u64 + self.seed % tills;
                        let card = ["debit", "credit", "poor"][draw.below(20).saturating_sub(17)];
                        let line = format!("sale {}.{:02} {card}", fen / 100, fen % 100);
                        if self.process.lock().expect("no panic").tell(&line) {
                            selling = Some(Instant::now());
                        }
                    }
                }
            }
        }
    }

    fn look(
        &self,
        line: &str,
        process: &mut Process,
        selling: &mut Option<Instant>,
        draw: &mut Draw,
    ) {
        let Ok(line) = serde_json::from_str::<Value>(line) else {
            // A line of its log.
            assert!(
                line.contains(" WARN ") || line.contains("Error"),
                "the till said: {line}"
            );
            return;
        };
        let screen = line["screen"].as_str().expect("a screen").to_owned();
        let sale = line["sale"].as_str().map(str::to_owned);
        match screen.as_str() {
            "ask-goods" => {
                process.tell(["yes", "no"][draw.below(2)]);
            }
            "approved" | "declined" | "not-sent" | "reversed" | "case" => *selling = None,
            "busy" => {
                *selling = None;
                std::thread::sleep(Duration::from_millis(30));
            }
            _ => {}
        }
        let text = line["text"].as_str().expect("words").to_owned();
        self.shown
            .lock()
            .expect("no panic")
            .push((screen, sale, text));
    }
}

/// Every sale that a cashier saw approved, with the amount that was shown, in fen.
fn approvals(tills: &[Arc<Till>]) -> Approvals {
    let mut seen = Approvals::new();
    for till in tills {
        for (screen, sale, text) in till.shown.lock().expect("no panic").iter() {
            if screen == "approved" {
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                seen.insert(
                    sale.clone().expect("an approval names its sale"),
                    digits.parse().expect("an amount"),
                );
            }
        }
    }
    seen
}

fn screens(tills: &[Arc<Till>]) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for till in tills {
        for (screen, ..) in till.shown.lock().expect("no panic").iter() {
            *count.entry(screen.clone()).or_default() += 1;
        }
    }
    count
}
