//! The fault lab: a till of the demo's world whose hops, printer and clock break on purpose, from a page or by API.
//!
//! Sandbox only: it exists nowhere but in the demo's world. A run has the stage for itself, so that no story and no lab
//! breaks what the other one charges.

mod experiment;
mod faults;
mod receiver;
mod web;

pub use experiment::Experiment;
pub(super) use web::routes;

use super::shop::Shop;
use super::world::{Hosts, World};
use crate::config::Problem;
use crate::desk::Opened;
use crate::people::Person;
use crate::view;
use crypto::PanToken;
use faults::{FAULTS, LabFault};
use pages::lab::{Account, Choice, LabView, Phase, Run};
use payment::verdict::Outcome;
use payment::{Amount, SaleKey};
use receiver::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, watch};

/// What is offered to be charged first, in fen.
const AMOUNT_MINOR: u64 = 12_801;
/// A loop that is open for longer is shown as it is, and its run ends.
const OPEN_MAX: Duration = Duration::from_secs(60);
/// How often a run looks.
const LOOK: Duration = Duration::from_millis(100);

/// Pages of the lab that are kept live at the same time.
pub const FOLLOWERS_MAX: usize = 16;

/// The lab.
#[derive(Clone, Debug)]
pub struct Lab {
    hosts: Hosts,
    shop: Arc<Shop>,
    /// The issuer's name for the shop's test card.
    card: PanToken,
    run: Arc<Mutex<Option<Running>>>,
    /// Counts changes, for those who watch.
    changed: watch::Sender<u64>,
    links: Arc<Vec<(String, (&'static str, &'static str))>>,
    receiver: Receiver,
    places: Arc<Semaphore>,
}

/// What a run remembers.
#[derive(Clone, Debug)]
struct Running {
    number: u64,
    faults: Vec<&'static LabFault>,
    amount_minor: u64,
    began: Option<Instant>,
    key: Option<SaleKey>,
    phase: Phase,
    closed_after: Option<Duration>,
    before: [i64; 3],
    notices: usize,
    papers: usize,
    problem: Option<(String, String)>,
}

impl Running {
    fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Closed | Phase::Failed)
    }
}

/// Why a run was not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// Another one is not over.
    Busy,
    /// No such fault.
    Fault,
    /// No such amount.
    Amount,
}

impl Refusal {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Busy => ("上一次还没有结束", "the last run is not over"),
            Self::Fault => ("没有这种故障", "there is no such fault"),
            Self::Amount => ("金额不对", "the amount is wrong"),
        }
    }
}

impl Lab {
    /// A lab over the shop's till.
    pub(super) fn new(
        world: &World,
        shop: Arc<Shop>,
        links: Vec<(String, (&'static str, &'static str))>,
    ) -> Result<Self, Problem> {
        Ok(Self {
            hosts: world.hosts(),
            card: world.token(&shop.card_number()?)?,
            shop,
            run: Arc::default(),
            changed: watch::Sender::new(0),
            links: Arc::new(links),
            receiver: Receiver::default(),
            places: Arc::new(Semaphore::new(FOLLOWERS_MAX)),
        })
    }

    /// Is told of what happens after a run as well: by the desk's hub, by the printer, and by webhooks like everybody who
    /// subscribes to them. Must be called on the runtime.
    pub(super) fn watch(&self, desk: &Opened, staff: &Person) -> Result<(), Problem> {
        self.receiver.subscribe(desk, staff)?;
        let lab = self.clone();
        desk.hub.at_each_look(move || lab.tell());
        let (lab, mut papers) = (self.clone(), self.shop.printer.papers());
        tokio::spawn(async move {
            while papers.changed().await.is_ok() {
                lab.tell();
            }
        });
        Ok(())
    }

    /// Breaks what was chosen and charges; the rest is watched.
    fn begin(&self, faults: &[String], amount_minor: u64) -> Result<u64, Refusal> {
        let chosen: Option<Vec<_>> = faults.iter().map(|id| faults::find(id)).collect();
        let chosen = chosen.ok_or(Refusal::Fault)?;
        if amount_minor == 0 || amount_minor > 100_000_000 {
            return Err(Refusal::Amount);
        }
        let number = {
            let mut run = self.lock();
            if run.as_ref().is_some_and(|run| !run.is_over()) {
                return Err(Refusal::Busy);
            }
            let number = run.as_ref().map_or(1, |run| run.number + 1);
            *run = Some(Running {
                number,
                faults: chosen,
                amount_minor,
                began: None,
                key: None,
                phase: Phase::Waiting,
                closed_after: None,
                before: [0; 3],
                notices: 0,
                papers: 0,
                problem: None,
            });
            number
        };
        self.tell();
        let lab = self.clone();
        tokio::spawn(async move {
            if let Err(problem) = lab.play().await {
                lab.update(|run| {
                    run.phase = Phase::Failed;
                    run.problem = Some((
                        format!("没有做成：{problem}"),
                        format!("It could not be done: {problem}"),
                    ));
                });
            }
            lab.hosts.upstream.heal();
            lab.hosts.bank.heal();
            lab.shop.hop.heal();
        });
        Ok(number)
    }

    async fn play(&self) -> Result<(), Problem> {
        let _stage = self.hosts.stage.lock().await;
        let (faults, amount_minor) = self
            .lock()
            .as_ref()
            .map(|run| (run.faults.clone(), run.amount_minor))
            .ok_or("no run")?;
        let before = self.accounts().await?;
        let (notices, papers) = (
            self.hosts.notices().len(),
            self.shop.printer.with(|printer| printer.papers().len()),
        );
        for fault in &faults {
            fault.arm(&self.hosts, &self.shop);
        }
        let key = self.shop.charge(Amount::fen(amount_minor)).await?;
        self.update(|run| {
            (run.before, run.notices, run.papers) = (before, notices, papers);
            (run.began, run.key, run.phase) = (Some(Instant::now()), Some(key), Phase::Open);
        });
        let end = Instant::now() + OPEN_MAX;
        while Instant::now() < end && !self.is_closed(key).await? {
            tokio::time::sleep(LOOK).await;
            self.tell();
        }
        let closed = self.is_closed(key).await?;
        self.update(|run| {
            run.closed_after = run.began.map(|began| began.elapsed());
            if closed {
                run.phase = Phase::Closed;
            } else {
                run.phase = Phase::Failed;
                run.problem = Some((
                    "一分钟内环路没有闭合，现状如下，系统会继续。".to_owned(),
                    "The loop was not closed within a minute. This is how it stands; the system goes on.".to_owned(),
                ));
            }
        });
        Ok(())
    }

    /// Nobody owes a next step, and the slip's fate is known.
    async fn is_closed(&self, key: SaleKey) -> Result<bool, Problem> {
        let look = self.hosts.acquirer.look(move |acquirer, _| {
            let sale = acquirer.state().sale(&key)?;
            let verdict = payment::verdict::verdict(sale.request.kind, &sale.evidence);
            Some(
                !matches!(verdict.outcome, Outcome::Unknown | Outcome::Reversing)
                    && verdict.owner == payment::verdict::Owner::Nobody,
            )
        });
        Ok(look
            .await
            .map_err(|refused| format!("{refused:?}"))?
            .unwrap_or(false))
    }

    /// Card account, suspense at the issuer, due to the merchant.
    async fn accounts(&self) -> Result<[i64; 3], Problem> {
        let token = self.card;
        let merchant = self.shop.merchant;
        let issuer = self
            .hosts
            .issuer
            .look(move |issuer, _| (issuer.balance(&token).unwrap_or(0), issuer.suspense()));
        let (card, suspense) = issuer.await.map_err(|refused| format!("{refused:?}"))?;
        let acquirer = self
            .hosts
            .acquirer
            .look(move |acquirer, _| acquirer.state().books().payable(&merchant));
        let due = acquirer.await.map_err(|refused| format!("{refused:?}"))?;
        Ok([card, suspense, due])
    }

    /// Mends everything: hops, printer, clock.
    fn heal(&self) {
        self.hosts.upstream.heal();
        self.hosts.bank.heal();
        self.shop.hop.heal();
        faults::mend_printer(&self.shop.printer);
        faults::set_clocks_right(&self.hosts, &self.shop);
        self.tell();
    }

    /// What is to be seen now.
    async fn view(&self) -> Result<LabView, Problem> {
        let run = self.lock().clone();
        let chosen: Vec<&str> = run
            .iter()
            .flat_map(|run| &run.faults)
            .map(|fault| fault.id)
            .collect();
        let choices = FAULTS.iter().map(|fault| Choice {
            id: fault.id,
            part: fault.part,
            words: fault.words,
            chosen: chosen.contains(&fault.id),
        });
        Ok(LabView {
            choices: choices.collect(),
            amount_minor: run.as_ref().map_or(AMOUNT_MINOR, |run| run.amount_minor),
            printer: self.shop.printer.state(),
            run: match run {
                Some(run) => Some(self.shown(run).await?),
                None => None,
            },
            links: self.links.to_vec(),
            as_of: crate::driver::wall().text(),
        })
    }

    async fn shown(&self, run: Running) -> Result<Run, Problem> {
        let sale = match run.key {
            Some(key) => {
                let look = self.hosts.acquirer.look(move |acquirer, now| {
                    acquirer
                        .state()
                        .sale(&key)
                        .map(|sale| view::of(sale, now.wall))
                });
                look.await.map_err(|refused| format!("{refused:?}"))?
            }
            None => None,
        };
        const NAMES: [(&str, &str); 3] = [
            ("持卡人账户（发卡行）", "Cardholder's account (issuer)"),
            ("挂账（发卡行）", "Suspense (issuer)"),
            ("应付商户（收单）", "Due to the merchant (acquirer)"),
        ];
        let accounts = match run.key {
            Some(_) => self
                .accounts()
                .await?
                .into_iter()
                .zip(run.before)
                .zip(NAMES)
                .map(|((now_minor, before_minor), name)| Account {
                    name,
                    before_minor,
                    now_minor,
                })
                .collect(),
            None => Vec::new(),
        };
        let papers = |papers: &[receipt::PrintedSlip]| {
            papers
                .iter()
                .skip(run.papers)
                .map(|slip| slip.text.clone())
                .collect()
        };
        let took = run
            .closed_after
            .or_else(|| run.began.map(|began| began.elapsed()));
        Ok(Run {
            number: run.number,
            faults: run.faults.iter().map(|fault| fault.id).collect(),
            phase: run.phase,
            elapsed_ms: took.map_or(0, |took| took.as_millis() as u64),
            sale,
            accounts,
            notices: if run.key.is_some() {
                self.hosts.notices().split_off(run.notices)
            } else {
                Vec::new()
            },
            paper: if run.key.is_some() {
                self.shop.printer.with(|printer| papers(printer.papers()))
            } else {
                Vec::new()
            },
            webhooks: run
                .key
                .map_or_else(Vec::new, |key| self.receiver.of(&key.to_string())),
            problem: run.problem,
        })
    }

    /// The last run as a test file, once its loop is closed.
    async fn experiment(&self) -> Result<Option<Experiment>, Problem> {
        let Some(run) = self.lock().clone().filter(|run| run.phase == Phase::Closed) else {
            return Ok(None);
        };
        let shown = self.shown(run.clone()).await?;
        Ok(shown
            .sale
            .map(|sale| Experiment::of(&run.faults, sale.outcome)))
    }

    fn update(&self, change: impl FnOnce(&mut Running)) {
        if let Some(run) = self.lock().as_mut() {
            change(run);
        }
        self.tell();
    }

    fn tell(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
