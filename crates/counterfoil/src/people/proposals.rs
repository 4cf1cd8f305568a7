//! Four eyes: what one person proposes is done when another one has seen the same and approves.
//!
//! Invariants: the checker is not the maker; what was shown is what is done, or nothing; it is done once, in the
//! transaction that closes the proposal.

use super::account::active;
use super::audit::Entry;
use super::invitation::{invited, is_free};
use super::remedies::{self, Chosen};
use super::store::{People, Trouble, hex};
use super::{Permission, Person, Role, Session};
use payment::{Remedy, Wall};
use rusqlite::{OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Proposals on one page.
pub const LISTED_MAX: u32 = 100;
/// Open proposals of one maker.
pub const OPEN_MAX: u32 = 100;

/// What can be proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Somebody of the staff gets another role.
    ChangeRole {
        /// Whose.
        name: String,
        /// The role that they have; if it is another one by then, nothing is done.
        from: Role,
        /// The role that they get.
        to: Role,
    },
    /// Somebody gets an account.
    Invite {
        /// The name that they will sign in with.
        name: String,
        /// Their role.
        role: Role,
        /// Number of their merchant; none for staff.
        merchant: Option<String>,
    },
    /// Staff do something about sales.
    Remedy {
        /// What.
        remedy: Remedy,
        /// About which.
        sales: Vec<Chosen>,
        /// Why.
        reason: String,
    },
}

impl Action {
    /// The proposal of this number and what it is about, for the audit log.
    pub(super) fn told(&self, id: u64) -> String {
        match self {
            Self::ChangeRole { name, .. } | Self::Invite { name, .. } => {
                format!("proposal {id}, {name}")
            }
            Self::Remedy { remedy, sales, .. } => {
                let (name, first) = (remedy.name(), sales.first());
                let first = first.map_or("", |chosen| &chosen.sale);
                let more = sales.len().saturating_sub(1);
                format!("proposal {id}, {name} {first} + {more}")
            }
        }
    }

    /// What its maker must be allowed.
    const fn permission(&self) -> Permission {
        match self {
            Self::Invite { .. } => Permission::ManagePeople,
            Self::ChangeRole { .. } | Self::Remedy { .. } => Permission::Propose,
        }
    }

    /// What a checker is shown, zh-CN and en.
    pub fn preview(&self) -> (String, String) {
        match self {
            Self::ChangeRole { name, from, to } => (
                format!("{name} 的角色：{} → {}", from.words().0, to.words().0),
                format!("role of {name}: {} → {}", from.words().1, to.words().1),
            ),
            Self::Invite {
                name,
                role,
                merchant,
            } => {
                let of = merchant.as_deref().unwrap_or_default();
                let (zh, en) = role.words();
                (
                    format!("新账户 {name}：{zh} {of}").trim_end().to_owned(),
                    format!("new account {name}: {en} {of}")
                        .trim_end()
                        .to_owned(),
                )
            }
            Self::Remedy {
                remedy,
                sales,
                reason,
            } => remedies::preview(*remedy, sales, reason),
        }
    }

    /// Whether it makes sense at all.
    fn check(&self) -> Result<(), Refusal> {
        match self {
            Self::ChangeRole { from, to, .. } => {
                let among_staff = from.is_staff() && to.is_staff() && from != to;
                among_staff.then_some(()).ok_or(Refusal::Senseless)
            }
            Self::Invite {
                name,
                role,
                merchant,
            } => invited(name, *role, merchant.as_deref()).map(drop),
            Self::Remedy { remedy, sales, .. } => {
                let some = (1..=remedies::SALES_MAX).contains(&sales.len());
                let fits = some && remedy.needs_approval();
                fits.then_some(()).ok_or(Refusal::Senseless)
            }
        }
    }

    /// Whether the world is as the maker sees it.
    fn fits(&self, write: &Transaction<'_>) -> Result<(), Refusal> {
        match self {
            Self::ChangeRole { name, from, .. } => {
                let person = active(write, name)?;
                let as_seen = person.is_some_and(|person| person.role == *from);
                as_seen.then_some(()).ok_or(Refusal::Changed)
            }
            Self::Invite { name, .. } => is_free(write, name),
            // Judged by the acquirer, before and again when it is done.
            Self::Remedy { .. } => Ok(()),
        }
    }

    /// Does it, or finds that the world is not as it was shown; what the acquirer does is approved here, and done after it.
    fn execute(&self, people: &People, write: &Transaction<'_>, id: u64) -> Result<State, Refusal> {
        match self {
            Self::ChangeRole { name, from, to } => {
                let changed = write.execute(
                    "UPDATE person SET role = ?3 WHERE name = ?1 AND role = ?2",
                    params![name, from.name(), to.name()],
                )?;
                if changed == 0 {
                    return Err(Refusal::Changed);
                }
                // With other rights every session begins anew.
                write.execute("DELETE FROM session WHERE name = ?1", [name])?;
                Ok(State::Done)
            }
            Self::Invite {
                name,
                role,
                merchant,
            } => {
                let person = invited(name, *role, merchant.as_deref())?;
                people.invite(write, &person, id)?;
                Ok(State::Done)
            }
            Self::Remedy { .. } => Ok(State::Approved),
        }
    }
}

/// Where a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits for a second person.
    Open,
    /// It was approved, or needs no second person, and is being done.
    Approved,
    /// It was approved and done.
    Done,
    /// A second person refused it, or its maker took it back.
    Refused,
    /// It was approved when the world was not as it had been shown any more: nothing was done.
    Void,
}

impl State {
    const ALL: [Self; 5] = [
        Self::Open,
        Self::Approved,
        Self::Done,
        Self::Refused,
        Self::Void,
    ];

    /// Its name, as it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approved => "approved",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Void => "void",
        }
    }

    /// The words, zh-CN and en.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Open => ("待复核", "waits for a second person"),
            Self::Approved => ("正在执行", "being done"),
            Self::Done => ("已执行", "done"),
            Self::Refused => ("已拒绝", "refused"),
            Self::Void => ("已作废", "void"),
        }
    }
}

/// A proposal as it is listed and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// Its number.
    pub id: u64,
    /// Who proposed it.
    pub maker: String,
    /// When, milliseconds since the epoch.
    pub made_ms: i64,
    /// What is to be done.
    pub action: Action,
    /// What is shown, zh-CN and en.
    pub preview: (String, String),
    /// Hash of what is shown: an approval names it.
    pub shown: String,
    /// Where it stands.
    pub state: State,
    /// Who checked it.
    pub checker: Option<String>,
    /// When, milliseconds since the epoch.
    pub checked_ms: Option<i64>,
}

/// Why a proposal is not taken, approved or refused.
#[derive(Debug)]
pub enum Refusal {
    /// The role does not allow it.
    Forbidden,
    /// The maker cannot be the checker.
    OwnProposal,
    /// The checker signed in too long ago.
    NotFresh,
    /// There is no such proposal.
    Unknown,
    /// It is not open any more.
    Closed,
    /// What was shown is not what would be done.
    Changed,
    /// What is proposed makes no sense.
    Senseless,
    /// There is such an account already.
    Taken,
    /// A reason is missing, or too long.
    Reason,
    /// It can be done for none of these sales.
    Nothing,
    /// Too many proposals of this maker are open.
    Full,
    /// The disk refused.
    Trouble(Trouble),
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Trouble(error.into())
    }
}

impl Refusal {
    /// The words, zh-CN and en.
    pub const fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Forbidden => ("您的角色不能这样做", "Your role does not allow this"),
            Self::OwnProposal => ("自己提出的不能自己复核", "Nobody checks their own proposal"),
            Self::NotFresh => ("请重新登录后再复核", "Sign in again before you check"),
            Self::Unknown => ("没有这项申请", "There is no such proposal"),
            Self::Closed => ("这项申请已经处理过", "This proposal is closed already"),
            Self::Changed => (
                "情况与展示的不同，没有执行",
                "Things are not as they were shown; nothing was done",
            ),
            Self::Senseless => ("这项申请没有意义", "This proposal makes no sense"),
            Self::Taken => ("已有这个用户", "There is such an account already"),
            Self::Reason => (
                "请写明理由，不超过 80 个汉字",
                "A reason is needed, of at most 240 characters",
            ),
            Self::Nothing => (
                "所选的交易都不能这样处理",
                "This cannot be done for any of the selected",
            ),
            Self::Full => ("待复核的申请太多", "Too many proposals wait already"),
            Self::Trouble(_) => (
                "暂时不能处理，请稍后再试",
                "Not possible at the moment; try again later",
            ),
        }
    }
}

/// The proposals of an acquirer.
#[derive(Clone, Debug)]
pub struct Proposals(People);

impl Proposals {
    /// Those of these people.
    pub fn new(people: People) -> Self {
        Self(people)
    }

    pub(super) fn people(&self) -> &People {
        &self.0
    }

    /// Proposes an action; gives its number.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::Senseless`], [`Refusal::Changed`], [`Refusal::Full`] or the disk.
    pub fn propose(&self, maker: &Person, action: &Action) -> Result<u64, Refusal> {
        if !maker.role.may(action.permission()) {
            return Err(Refusal::Forbidden);
        }
        action.check()?;
        self.0.write(|write, entries| {
            let open: u32 = write.query_row(
                "SELECT count(*) FROM proposal WHERE maker = ?1 AND state = 'open'",
                [&maker.name],
                |row| row.get(0),
            )?;
            if open >= OPEN_MAX {
                return Err(Refusal::Full);
            }
            action.fits(write)?;
            let id = insert(write, &maker.name, self.0.now(), action, State::Open)?;
            let entry = Entry::new(&maker.name, "proposed", action.told(id));
            entries.push(entry.changed(&(), action));
            Ok(id)
        })
    }

    /// Approves what was shown, and does it.
    ///
    /// # Errors
    /// Why not; after [`Refusal::Changed`] the proposal is void.
    pub fn approve(&self, checker: &Session, id: u64, seen: &str) -> Result<(), Refusal> {
        self.may_check(checker)?;
        let who = &checker.person.name;
        let done: Result<State, Refusal> = self.0.write(|write, entries| {
            let found = find(write, id)?.ok_or(Refusal::Unknown)?;
            if found.maker == *who {
                return Err(Refusal::OwnProposal);
            }
            if found.state != State::Open {
                return Err(Refusal::Closed);
            }
            // The checker may have been disabled or demoted since the session was read; a key is nobody's pair of eyes.
            let still =
                active(write, who)?.is_some_and(|person| person.role.may(Permission::Approve));
            if !still {
                return Err(Refusal::Forbidden);
            }
            let act = serde_json::to_string(&found.action).map_err(|_| Refusal::Senseless)?;
            let as_shown = seen == found.shown && shown(&act, &found.preview) == found.shown;
            let executed = match as_shown {
                true => found.action.execute(&self.0, write, id),
                false => Err(Refusal::Changed),
            };
            let state = match executed {
                Ok(state) => state,
                Err(Refusal::Changed) => State::Void,
                Err(other) => return Err(other),
            };
            close(write, id, state, who, self.0.now())?;
            let act = match state {
                State::Void => "voided",
                _ => "approved",
            };
            let entry = Entry::new(who, act, found.action.told(id));
            entries.push(entry.changed(&State::Open, &(state, &found.action)));
            Ok(state)
        });
        match done? {
            State::Void => return Err(Refusal::Changed),
            State::Approved => self.carry_on(),
            _ => {}
        }
        Ok(())
    }

    /// Refuses it; its maker may take it back the same way.
    ///
    /// # Errors
    /// Why not.
    pub fn refuse(&self, checker: &Session, id: u64) -> Result<(), Refusal> {
        let may = checker.person.role.may(Permission::Approve);
        self.end(&checker.person.name, id, may)
    }

    /// Takes one's own proposal back.
    ///
    /// # Errors
    /// Why not.
    pub fn withdraw(&self, maker: &Person, id: u64) -> Result<(), Refusal> {
        self.end(&maker.name, id, false)
    }

    fn end(&self, who: &str, id: u64, may_refuse: bool) -> Result<(), Refusal> {
        self.0.write(|write, entries| {
            let found = find(write, id)?.ok_or(Refusal::Unknown)?;
            if found.maker != who && !may_refuse {
                return Err(Refusal::Forbidden);
            }
            if found.state != State::Open {
                return Err(Refusal::Closed);
            }
            close(write, id, State::Refused, who, self.0.now())?;
            let entry = Entry::new(who, "refused", found.action.told(id));
            entries.push(entry.changed(&State::Open, &State::Refused));
            Ok(())
        })
    }

    fn may_check(&self, checker: &Session) -> Result<(), Refusal> {
        if !checker.person.role.may(Permission::Approve) {
            return Err(Refusal::Forbidden);
        }
        let fresh = checker.is_fresh(self.0.now());
        fresh.then_some(()).ok_or(Refusal::NotFresh)
    }

    /// One proposal.
    ///
    /// # Errors
    /// The disk refused.
    pub fn find(&self, id: u64) -> Result<Option<Proposal>, Trouble> {
        Ok(find(&self.0.disk(), id)?)
    }

    /// The newest [`LISTED_MAX`], open ones first.
    ///
    /// # Errors
    /// The disk refused.
    pub fn list(&self) -> Result<Vec<Proposal>, Trouble> {
        let disk = self.0.disk();
        let mut select = disk.prepare(&format!(
            "{SELECT} ORDER BY state = 'open' DESC, id DESC LIMIT {LISTED_MAX}"
        ))?;
        let rows = select.query_map([], proposal)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many are open.
    ///
    /// # Errors
    /// The disk refused.
    pub fn open(&self) -> Result<u64, Trouble> {
        let count = "SELECT count(*) FROM proposal WHERE state = 'open'";
        let open: i64 = self.0.disk().query_row(count, [], |row| row.get(0))?;
        Ok(open as u64)
    }
}

const SELECT: &str = "SELECT id, maker, made_ms, act, preview_zh, preview_en, shown, state, checker, checked_ms FROM proposal";

pub(super) fn insert(
    write: &Transaction<'_>,
    maker: &str,
    at: Wall,
    action: &Action,
    state: State,
) -> Result<u64, Refusal> {
    let act = serde_json::to_string(action).map_err(|_| Refusal::Senseless)?;
    let preview = action.preview();
    let shown = shown(&act, &preview);
    write.execute(
        "INSERT INTO proposal(maker, made_ms, act, preview_zh, preview_en, shown, state)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![maker, at.0, act, preview.0, preview.1, shown, state.name()],
    )?;
    Ok(write.last_insert_rowid() as u64)
}

pub(super) fn find(disk: &rusqlite::Connection, id: u64) -> rusqlite::Result<Option<Proposal>> {
    let id = i64::try_from(id).unwrap_or(-1);
    disk.query_row(&format!("{SELECT} WHERE id = ?1"), [id], proposal)
        .optional()
}

fn proposal(row: &rusqlite::Row<'_>) -> rusqlite::Result<Proposal> {
    let (act, state): (String, String) = (row.get(3)?, row.get(7)?);
    let state = State::ALL.into_iter().find(|known| known.name() == state);
    Ok(Proposal {
        id: row.get::<_, i64>(0)? as u64,
        maker: row.get(1)?,
        made_ms: row.get(2)?,
        action: serde_json::from_str(&act).map_err(|_| rusqlite::Error::InvalidQuery)?,
        preview: (row.get(4)?, row.get(5)?),
        shown: row.get(6)?,
        state: state.ok_or(rusqlite::Error::InvalidQuery)?,
        checker: row.get(8)?,
        checked_ms: row.get(9)?,
    })
}

fn close(
    write: &Transaction<'_>,
    id: u64,
    state: State,
    who: &str,
    now: Wall,
) -> rusqlite::Result<()> {
    let id = i64::try_from(id).unwrap_or(-1);
    write.execute(
        "UPDATE proposal SET state = ?2, checker = ?3, checked_ms = ?4 WHERE id = ?1",
        params![id, state.name(), who, now.0],
    )?;
    Ok(())
}

fn shown(act: &str, preview: &(String, String)) -> String {
    let mut hash = Sha256::new();
    for part in [act, &preview.0, &preview.1] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize())
}
