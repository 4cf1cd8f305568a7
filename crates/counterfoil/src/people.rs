//! The people who work with an acquirer: who somebody is and what they may do.
//!
//! Invariants: nothing is served to somebody who is not signed in, and to nobody what their role does not list. What
//! somebody did is in the audit log in the same transaction as its effect. No password, code, session or key is stored
//! from which it could be read back.

mod account;
mod answered;
pub mod audit;
mod guard;
mod invitation;
mod key;
mod page;
pub mod proposals;
pub mod remedies;
mod session;
mod store;

pub use account::{Account, LOCKED_MS, PASSWORD_CHARACTERS_MIN, Refused, TRIES_MAX};
pub use invitation::INVITED_MS;
pub use key::ApiKey;
pub use page::routes;
pub use session::{ABSOLUTE_MS, ENTRY_MS, FRESH_MS, IDLE_MS, Opened, Session};
pub use store::{Clock, People, Trouble};
pub(crate) use store::{drawn, same_token};

pub(crate) use answered::Asked;
pub(crate) use guard::{Admitted, admit};
pub(crate) use page::{blocking, places, trouble};

use payment::MerchantId;
use serde::{Deserialize, Serialize};

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Works in a merchant's portal and sees that merchant alone.
    Merchant,
    /// Reads the console and the audit log, changes nothing.
    Auditor,
    /// Works the queue; proposes what moves money.
    Operator,
    /// The second pair of eyes; manages people.
    Supervisor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [
        Self::Merchant,
        Self::Auditor,
        Self::Operator,
        Self::Supervisor,
    ];

    /// Its name, as it is stored and typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Merchant => "merchant",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
            Self::Supervisor => "supervisor",
        }
    }

    /// The role of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// The words, zh-CN and en.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Merchant => ("商户", "merchant"),
            Self::Auditor => ("审计", "auditor"),
            Self::Operator => ("运营", "operator"),
            Self::Supervisor => ("主管", "supervisor"),
        }
    }

    /// Staff of the acquirer, who need a second factor.
    pub const fn is_staff(self) -> bool {
        !matches!(self, Self::Merchant)
    }

    /// Whether this role holds a permission: what is not listed here is refused.
    pub const fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::Own => true,
            Permission::ReadSales => true,
            Permission::ReadConsole => self.is_staff(),
            Permission::Propose => matches!(self, Self::Operator | Self::Supervisor),
            Permission::Approve => matches!(self, Self::Supervisor),
            Permission::ReadPeople | Permission::ReadAudit => {
                matches!(self, Self::Auditor | Self::Supervisor)
            }
            Permission::ManagePeople => matches!(self, Self::Supervisor),
            Permission::ReadPortal => matches!(self, Self::Merchant),
            Permission::ReadWebhooks => !matches!(self, Self::Operator),
            Permission::ManageWebhooks => matches!(self, Self::Merchant | Self::Supervisor),
        }
    }
}

/// What a route asks of somebody. Whose data they see is a question of their merchant, not of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Their own account: password, second factor.
    Own,
    /// Sales, events, terminals: of their merchant, or all for staff.
    ReadSales,
    /// The operator's console.
    ReadConsole,
    /// Proposes what a second person must approve.
    Propose,
    /// Approves or refuses what somebody else proposed.
    Approve,
    /// Lists people.
    ReadPeople,
    /// Disables people and unlocks them.
    ManagePeople,
    /// Reads the audit log.
    ReadAudit,
    /// The merchant's portal.
    ReadPortal,
    /// Where notices go, and how they fared.
    ReadWebhooks,
    /// Changes where notices go, and sends them again.
    ManageWebhooks,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 11] = [
        Self::Own,
        Self::ReadSales,
        Self::ReadConsole,
        Self::Propose,
        Self::Approve,
        Self::ReadPeople,
        Self::ManagePeople,
        Self::ReadAudit,
        Self::ReadPortal,
        Self::ReadWebhooks,
        Self::ManageWebhooks,
    ];
}

/// Somebody who is signed in. Every route behind the sign-in finds it as an axum `Extension`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name that they sign in with.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whose portal; none for staff of the acquirer.
    pub merchant: Option<MerchantId>,
}

impl Person {
    /// Whether what belongs to this merchant is shown to them; what is not is answered as if it did not exist.
    pub fn sees(&self, merchant: &MerchantId) -> bool {
        match self.role {
            Role::Merchant => self.merchant.as_ref() == Some(merchant),
            Role::Auditor | Role::Operator | Role::Supervisor => true,
        }
    }
}
