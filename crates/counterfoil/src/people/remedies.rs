//! Remedies by way of proposals: judged by the acquirer before anybody is asked, done by it once somebody else has approved.
//!
//! Invariant: an approval is on disk before the acquirer hears of it, and what came of each sale is written down when the
//! acquirer has said so; what a crash leaves between is asked again, and the acquirer does it once.

use super::audit::Entry;
use super::proposals::{Action, Proposal, Proposals, Refusal, State, find, insert};
use super::store::Trouble;
use super::{Permission, Person};
use payment::remedy::{Reason, StaffName};
use payment::{Amount, CNY, Mandate, Remedy, Unremedied};
use rusqlite::params;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Sales of one remedy.
pub const SALES_MAX: usize = 100;

pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS remedied(proposal INTEGER NOT NULL, sale TEXT NOT NULL, refused TEXT, at_ms INTEGER NOT NULL,
        PRIMARY KEY(proposal, sale)) WITHOUT ROWID;";

/// What a remedy would do about a sale now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Terminal, batch and trace number.
    pub sale: String,
    /// What it is over; none when the acquirer does not know it.
    pub amount: Option<Amount>,
    /// Why the remedy would not be done.
    pub refused: Option<Unremedied>,
}

/// The acquirer, as far as remedies go. It is asked from a thread that may wait.
pub trait Remedies: Send + Sync {
    /// Judges a remedy for each of these sales.
    ///
    /// # Errors
    /// The acquirer does not answer.
    fn judge(&self, sales: &[String], remedy: Remedy) -> Result<Vec<Judged>, Trouble>;

    /// Does it, or says why not. Asked again for the same proposal it says the same and does nothing more.
    ///
    /// # Errors
    /// The acquirer does not answer.
    fn carry_out(
        &self,
        sale: &str,
        remedy: Remedy,
        mandate: &Mandate,
    ) -> Result<Result<(), Unremedied>, Trouble>;
}

/// A sale of a proposal, as it was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// Terminal, batch and trace number.
    pub sale: String,
    /// What it is over.
    pub amount: Amount,
}

/// What came of each sale of a proposal; none while that is not known.
pub type Outcomes = BTreeMap<String, Result<(), Unremedied>>;

/// What is shown of a remedy, zh-CN and en.
pub(super) fn preview(remedy: Remedy, sales: &[Chosen], reason: &str) -> (String, String) {
    let (zh, en) = remedy.words();
    let (count, sum) = (sales.len(), sum(sales.iter().map(|chosen| chosen.amount)));
    (
        format!("{zh}：{count} 笔，共 {sum}（{reason}）"),
        format!("{en}: {count} transaction(s), {sum} ({reason})"),
    )
}

/// The sum in renminbi; other units are no money.
pub fn sum(amounts: impl Iterator<Item = Amount>) -> Amount {
    let money = amounts.filter(|amount| amount.currency == CNY);
    Amount::fen(money.map(|amount| amount.minor).sum())
}

impl Proposals {
    /// Judges a remedy for these sales, each named once.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::Senseless`] for none or too many, or the acquirer does not answer.
    pub fn judge(
        &self,
        who: &Person,
        sales: &[String],
        remedy: Remedy,
    ) -> Result<Vec<Judged>, Refusal> {
        if !who.role.may(Permission::Propose) {
            return Err(Refusal::Forbidden);
        }
        let mut named: Vec<String> = Vec::new();
        for sale in sales {
            if !named.contains(sale) {
                named.push(sale.clone());
            }
            if named.len() > SALES_MAX {
                return Err(Refusal::Senseless);
            }
        }
        if named.is_empty() {
            return Err(Refusal::Senseless);
        }
        let judged = self.people().remedies()?.judge(&named, remedy);
        judged.map_err(Refusal::Trouble)
    }

    /// Asks for a remedy of those among these sales for which it can be done: at once where one person suffices, else as a
    /// proposal. Gives its number.
    ///
    /// # Errors
    /// As for [`Proposals::judge`] and [`Proposals::propose`]; [`Refusal::Nothing`] when it can be done for none of them.
    pub fn remedy(
        &self,
        maker: &Person,
        remedy: Remedy,
        sales: &[String],
        reason: &str,
    ) -> Result<u64, Refusal> {
        let reason = Reason::of(reason).ok_or(Refusal::Reason)?;
        let mut judged = self.judge(maker, sales, remedy)?;
        judged.retain(|judged| judged.refused.is_none());
        judged.sort_by(|one, other| one.sale.cmp(&other.sale));
        judged.dedup_by(|one, other| one.sale == other.sale);
        let sales: Vec<Chosen> = judged
            .into_iter()
            .filter_map(|Judged { sale, amount, .. }| amount.map(|amount| Chosen { sale, amount }))
            .collect();
        if sales.is_empty() {
            return Err(Refusal::Nothing);
        }
        let action = Action::Remedy {
            remedy,
            sales,
            reason: reason.to_string(),
        };
        if remedy.needs_approval() {
            return self.propose(maker, &action);
        }
        let id = self.people().write(|write, entries| {
            let id = insert(
                write,
                &maker.name,
                self.people().now(),
                &action,
                State::Approved,
            )?;
            let entry = Entry::new(&maker.name, remedy.name(), action.told(id));
            entries.push(entry.changed(&(), &action));
            Ok::<_, Refusal>(id)
        })?;
        self.carry_on();
        Ok(id)
    }

    /// Does whatever was approved and is not done: after an approval, and after a start.
    pub fn carry_on(&self) {
        let done = self.approved().and_then(|waiting| {
            waiting
                .iter()
                .try_for_each(|proposal| self.carry_out(proposal))
        });
        if let Err(trouble) = done {
            tracing::error!(%trouble, "approved remedies wait; they are done after the next approval or start");
        }
    }

    fn approved(&self) -> Result<Vec<Proposal>, Trouble> {
        let waiting: Vec<u64> = {
            let disk = self.people().disk();
            let mut select =
                disk.prepare("SELECT id FROM proposal WHERE state = 'approved' ORDER BY id")?;
            let ids = select.query_map([], |row| row.get::<_, i64>(0).map(|id| id as u64))?;
            ids.collect::<Result<_, _>>()?
        };
        let found = waiting.into_iter().map(|id| self.find(id));
        let found: Vec<Option<Proposal>> = found.collect::<Result<_, _>>()?;
        Ok(found.into_iter().flatten().collect())
    }

    fn carry_out(&self, proposal: &Proposal) -> Result<(), Trouble> {
        let Action::Remedy {
            remedy,
            sales,
            reason,
        } = &proposal.action
        else {
            return Ok(());
        };
        let name = |name: &str| StaffName::of(name).ok_or_else(|| Trouble("a name".to_owned()));
        let approved = proposal.checker.as_deref().map(name).transpose()?;
        let mandate = Mandate {
            proposal: proposal.id,
            by: name(&proposal.maker)?,
            approved,
            reason: Reason::of(reason).ok_or_else(|| Trouble("a reason".to_owned()))?,
        };
        let remedies = self.people().remedies()?;
        let known = self.outcomes(proposal.id)?;
        let open = sales
            .iter()
            .filter(|chosen| !known.contains_key(&chosen.sale));
        for Chosen { sale, .. } in open {
            let outcome = remedies.carry_out(sale, *remedy, &mandate)?;
            let refused = outcome.err().map(Unremedied::name);
            self.people().disk().execute(
                "INSERT OR IGNORE INTO remedied VALUES(?1, ?2, ?3, ?4)",
                params![proposal.id as i64, sale, refused, self.people().now().0],
            )?;
        }
        self.done(proposal)
    }

    fn done(&self, proposal: &Proposal) -> Result<(), Trouble> {
        let outcomes = self.outcomes(proposal.id)?;
        let who = proposal.checker.as_ref().unwrap_or(&proposal.maker);
        self.people().write(|write, entries| {
            let open = find(write, proposal.id)?.is_some_and(|now| now.state == State::Approved);
            if open {
                write.execute(
                    "UPDATE proposal SET state = 'done' WHERE id = ?1",
                    [proposal.id as i64],
                )?;
                let refused = outcomes.values().filter(|outcome| outcome.is_err()).count();
                let done = outcomes.len() - refused;
                let object = format!(
                    "{}: {done} done, {refused} refused",
                    proposal.action.told(proposal.id)
                );
                entries.push(
                    Entry::new(who, "remedied", object).changed(&State::Approved, &State::Done),
                );
            }
            Ok(())
        })
    }

    /// What would come of these sales now.
    ///
    /// # Errors
    /// The acquirer does not answer.
    pub fn foreseen(&self, remedy: Remedy, sales: &[Chosen]) -> Result<Outcomes, Trouble> {
        let sales: Vec<String> = sales.iter().map(|chosen| chosen.sale.clone()).collect();
        let judged = self.people().remedies()?.judge(&sales, remedy)?;
        let outcome = |judged: Judged| (judged.sale, judged.refused.map_or(Ok(()), Err));
        Ok(judged.into_iter().map(outcome).collect())
    }

    /// What came of the sales of a proposal so far.
    ///
    /// # Errors
    /// The disk refused.
    pub fn outcomes(&self, id: u64) -> Result<Outcomes, Trouble> {
        let disk = self.people().disk();
        let mut select = disk.prepare("SELECT sale, refused FROM remedied WHERE proposal = ?1")?;
        let rows = select.query_map([i64::try_from(id).unwrap_or(-1)], |row| {
            let refused: Option<String> = row.get(1)?;
            let why = |name: String| {
                let mut all = Unremedied::ALL.into_iter();
                all.find(|why| why.name() == name)
                    .unwrap_or(Unremedied::Unknown)
            };
            Ok((row.get(0)?, refused.map_or(Ok(()), |name| Err(why(name)))))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
