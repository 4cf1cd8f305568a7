//! What a cardholder may say about a sale on its page: evidence of the lowest rank, a human's word.
//!
//! Invariant: the first statement of each kind counts; none of them is part of the evidence that a verdict looks at.

use crate::Wall;
use serde::{Deserialize, Serialize};

/// What a cardholder may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statement {
    /// The goods were paid for in cash too.
    PaidCash,
    /// The cardholder knows nothing of the sale.
    NotMe,
}

impl Statement {
    /// Every statement.
    pub const ALL: [Self; 2] = [Self::PaidCash, Self::NotMe];

    /// Its name in forms and in the archive.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PaidCash => "paid_cash",
            Self::NotMe => "not_me",
        }
    }

    /// The statement of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// The words, zh-CN and en.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::PaidCash => (
                "持卡人声明：另外付了现金",
                "the cardholder says: paid in cash too",
            ),
            Self::NotMe => (
                "持卡人声明：不是本人交易",
                "the cardholder says: this was not me",
            ),
        }
    }
}

/// When each statement was made about a sale, if it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declarations {
    /// "I paid cash too."
    pub paid_cash: Option<Wall>,
    /// "Not me."
    pub not_me: Option<Wall>,
}

impl Declarations {
    /// When this was said.
    pub const fn at(&self, statement: Statement) -> Option<Wall> {
        match statement {
            Statement::PaidCash => self.paid_cash,
            Statement::NotMe => self.not_me,
        }
    }

    /// Keeps a statement; the first of its kind stays.
    pub const fn keep(&mut self, statement: Statement, at: Wall) {
        let place = match statement {
            Statement::PaidCash => &mut self.paid_cash,
            Statement::NotMe => &mut self.not_me,
        };
        if place.is_none() {
            *place = Some(at);
        }
    }
}
