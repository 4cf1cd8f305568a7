//! What stands in the parties' journals after a run, read without their processes: the views of every sale must agree.

use crate::installation::Installation;
use ::acquirer::Acquirer;
use ::issuer::{Issuer, Standing};
use counterfoil::config::acquirer::AcquirerFile;
use counterfoil::config::issuer::IssuerFile;
use counterfoil::config::terminal::TerminalFile;
use counterfoil::fleet::Fleet;
use counterfoil::{config, journal, verify};
use payment::{Kind, Party, Rrn};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Every sale that a cashier saw approved, with its amount in fen.
pub type Approvals = BTreeMap<String, u64>;

/// Every party's journal, read without its process.
pub struct Books {
    acquirer: AcquirerFile,
    issuer: IssuerFile,
    terminals: Vec<TerminalFile>,
    network: PathBuf,
}

impl Books {
    /// The files of an installation with this many tills.
    pub fn at(installation: &Installation, tills: u32) -> Self {
        let terminal = |n: u32| {
            config::read(&installation.path(&format!("terminal-{n}.toml"))).expect("the file")
        };
        Self {
            acquirer: config::read(&installation.path("acquirer.toml")).expect("the file"),
            issuer: config::read(&installation.path("issuer.toml")).expect("the file"),
            terminals: (1..=tills).map(terminal).collect(),
            network: installation.data("network"),
        }
    }

    /// Waits until nothing is open any more.
    pub fn wait_until_closed(&self, within: Duration) {
        let began = Instant::now();
        let mut open = String::new();
        loop {
            let now = self.open();
            if now.is_empty() {
                return;
            }
            if now != open {
                println!("         open: {now}");
                open = now;
            }
            assert!(began.elapsed() < within, "still open: {open}");
            std::thread::sleep(Duration::from_millis(250));
        }
    }

    /// The program's own verification finds nothing, and compares at least so many sales.
    pub fn verify(&self, sales_min: usize) {
        let report = verify::run(&self.directories());
        println!("{report}");
        assert!(report.clean && report.open.is_empty(), "{report}");
        assert!(report.sales_compared >= sales_min as u64, "{report}");
    }

    fn directories(&self) -> Vec<PathBuf> {
        let hosts = [
            self.acquirer.data.clone(),
            self.network.clone(),
            self.issuer.data.clone(),
        ];
        hosts
            .into_iter()
            .chain(self.terminals.iter().map(|file| file.data.clone()))
            .collect()
    }

    fn acquirer(&self) -> Acquirer {
        folded(
            Acquirer::new(self.acquirer.resolve().expect("valid").0),
            &self.acquirer.data,
        )
    }

    fn issuer(&self) -> Issuer {
        folded(
            Issuer::new(self.issuer.resolve().expect("valid").0),
            &self.issuer.data,
        )
    }

    /// What is not over yet, in words.
    fn open(&self) -> String {
        let mut open = Vec::new();
        for file in &self.terminals {
            let fleet = folded(Fleet::new(file.resolve().expect("valid").0), &file.data);
            let unsettled = fleet
                .terminals()
                .filter(|t| t.state().open().is_some() || t.state().reversal().is_some())
                .count();
            if unsettled > 0 {
                open.push(format!("{} is not settled", file.id));
            }
        }
        let acquirer = self.acquirer();
        let state = acquirer.state();
        let (flying, reversing) = state.open();
        let unclosed = state.sales().filter(|sale| !sale.is_closed()).count();
        let counts = [
            flying,
            reversing,
            state.unconfirmed(),
            state.one_sided().count(),
            unclosed,
        ];
        if counts.iter().any(|count| *count > 0) {
            open.push(format!(
                "acquirer (in flight, reversing, unconfirmed, one-sided, not closed) {counts:?}"
            ));
        }
        open.join("; ")
    }

    /// Nothing that was seen approved is lost, and the views of acquirer and issuer agree on every sale.
    pub fn check(&self, seen: &Approvals) -> String {
        let (acquirer, issuer) = (self.acquirer(), self.issuer());
        let mut debits: BTreeMap<Rrn, Vec<u64>> = BTreeMap::new();
        let mut given_back = 0;
        for (_, exchange) in issuer
            .exchanges()
            .filter(|(_, exchange)| exchange.kind == Kind::Purchase)
        {
            match exchange.standing {
                Standing::Approved => debits
                    .entry(exchange.rrn)
                    .or_default()
                    .push(exchange.amount.minor),
                Standing::Reversed => given_back += 1,
                Standing::Declined | Standing::Barred { .. } => {}
            }
        }
        let standing: BTreeMap<String, (Rrn, u64)> = acquirer
            .state()
            .sales()
            .filter(|sale| sale.stands() && sale.request.kind == Kind::Purchase)
            .map(|sale| {
                (
                    sale.key().to_string(),
                    (sale.rrn, sale.request.amount.minor),
                )
            })
            .collect();
        for (sale, amount) in seen {
            let (_, minor) = standing
                .get(sale)
                .unwrap_or_else(|| panic!("{sale} was seen approved and does not stand"));
            assert_eq!(amount, minor, "{sale}: what was shown and what stands");
        }
        for (sale, (rrn, minor)) in &standing {
            assert_eq!(
                debits.remove(rrn),
                Some(vec![*minor]),
                "{sale} must be debited exactly once"
            );
        }
        assert!(debits.is_empty(), "debited and not sold: {debits:?}");
        issuer.audit().expect("the issuer's books balance");
        acquirer
            .state()
            .books()
            .ledger()
            .audit()
            .expect("the acquirer's books balance");
        format!(
            "{} approvals seen, {} sales stand and are debited once each, {given_back} were given back, {} in all",
            seen.len(),
            standing.len(),
            acquirer.state().sales().count()
        )
    }
}

/// A party with the records of its journal applied.
pub fn folded<P: Party>(mut party: P, data: &Path) -> P {
    let path = data.join("journal.db");
    for row in journal::read(&path).expect("the journal opens") {
        let records = row
            .and_then(|row| row.records::<P::Record>(&path))
            .expect("the journal reads");
        records.iter().for_each(|record| party.apply(record));
    }
    party
}
