//! The people who work with an acquirer: who somebody is and what they may do.

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
