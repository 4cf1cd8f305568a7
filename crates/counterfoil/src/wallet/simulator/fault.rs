//! What can be broken about the wallet on purpose: planned by word, used up one occasion at a time.
//!
//! A fault changes when and whether an answer comes, never what the books say.

use std::collections::VecDeque;

/// Faults that may wait.
const FAULTS_MAX: usize = 256;
/// Planned for so many occasions, a fault stays until it is healed.
pub(super) const FOR_EVER: u32 = u32::MAX;

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is done, and its answer is lost.
    LoseAnswer,
    /// A payment with a code is done, and its answer is lost.
    LosePaidAnswer,
    /// It is done, and its answer comes late.
    Slow,
    /// Nothing is done: 503.
    Fail,
    /// A payer is asked and never says yes.
    NeverPay,
}

impl Act {
    /// Every fault.
    pub const ALL: [Self; 5] = [
        Self::LoseAnswer,
        Self::LosePaidAnswer,
        Self::Slow,
        Self::Fail,
        Self::NeverPay,
    ];

    /// The word that plans it.
    pub const fn command(self) -> &'static str {
        match self {
            Self::LoseAnswer => "answer-lost",
            Self::LosePaidAnswer => "paid-answer-lost",
            Self::Slow => "slow",
            Self::Fail => "fail",
            Self::NeverPay => "never-pays",
        }
    }

    /// What it is, zh-CN and en.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::LoseAnswer => ("应答丢失", "answer lost"),
            Self::LosePaidAnswer => ("已扣款但应答丢失", "paid, answer lost"),
            Self::Slow => ("应答很慢", "slow answer"),
            Self::Fail => ("服务器错误", "server error"),
            Self::NeverPay => ("顾客始终不付", "never pays"),
        }
    }

    /// Reads `slow`, `slow*3` or `slow*` (until healed), as `--fault` takes it.
    ///
    /// # Errors
    /// Words that name no fault.
    pub fn parse(text: &str) -> Result<(Self, u32), String> {
        let (word, times) = text
            .split_once('*')
            .map_or((text, Some(1)), |(word, times)| {
                let count = times.parse().ok().filter(|count| *count > 0);
                (
                    word,
                    if times.is_empty() {
                        Some(FOR_EVER)
                    } else {
                        count
                    },
                )
            });
        let act = Self::ALL.into_iter().find(|act| act.command() == word);
        act.zip(times).ok_or_else(|| {
            let words = Self::ALL.map(Self::command).join(", ");
            format!("{text}: one of {words}, and *N for so many times or * until healed")
        })
    }
}

/// The faults that wait, oldest first.
#[derive(Debug, Default)]
pub(super) struct Plan(VecDeque<(Act, u32)>);

impl Plan {
    pub(super) fn add(&mut self, act: Act, times: u32) {
        if self.0.len() < FAULTS_MAX && times > 0 {
            self.0.push_back((act, times));
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The oldest fault that fits this occasion.
    pub(super) fn take(&mut self, fits: impl Fn(Act) -> bool) -> Option<Act> {
        let place = self.0.iter().position(|(act, _)| fits(*act))?;
        let (act, times) = &mut self.0[place];
        let act = *act;
        if *times != FOR_EVER {
            *times -= 1;
            if *times == 0 {
                self.0.remove(place);
            }
        }
        Some(act)
    }

    /// What waits, and how often; the page shows it.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (Act, u32)> + '_ {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_plan_faults() {
        for (text, read) in [
            ("slow", Some((Act::Slow, 1))),
            ("answer-lost*3", Some((Act::LoseAnswer, 3))),
            ("fail*", Some((Act::Fail, FOR_EVER))),
            ("fail*0", None),
            ("fail*x", None),
            ("broken", None),
        ] {
            assert_eq!(Act::parse(text).ok(), read, "{text}");
        }
        let mut plan = Plan::default();
        plan.add(Act::Slow, 2);
        plan.add(Act::Fail, FOR_EVER);
        let slow = |act| act == Act::Slow;
        let taken: Vec<_> = (0..3).map(|_| plan.take(slow)).collect();
        assert_eq!(taken, [Some(Act::Slow), Some(Act::Slow), None]);
        assert_eq!(plan.take(|_| true), Some(Act::Fail));
        assert_eq!(plan.waiting().count(), 1);
    }
}
