//! When a card with a chip may be swiped: the fallback rules, and element 60.5 (UnionPay-style reference §2.9; attack A10).
//!
//! Invariant: a card whose stripe says that it has a chip is swiped only after the chip was tried, or with 60.5 = 1.

/// When the stripe of a chip card is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FallbackRule {
    /// A chip that cannot be read may be swiped.
    pub allowed: bool,
    /// After so many tries of the chip.
    pub tries: u8,
    /// A chip card that was swiped without a try goes to its issuer with 60.5 = 1 instead of being refused here.
    pub improper_swipes: bool,
}

impl Default for FallbackRule {
    /// Fallback after three tries; a swipe without a try is refused.
    fn default() -> Self {
        Self {
            allowed: true,
            tries: 3,
            improper_swipes: false,
        }
    }
}

/// Element 60.5.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// 0: nothing special.
    #[default]
    Normal,
    /// 1: a chip card was swiped improperly.
    Improper,
    /// 2: fallback, the chip cannot be read.
    Fallback,
}

impl Condition {
    /// The digit.
    pub const fn digit(self) -> u8 {
        match self {
            Self::Normal => 0,
            Self::Improper => 1,
            Self::Fallback => 2,
        }
    }
}

/// The stripe says that the card has a chip: insert it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MustInsert;

/// Judges a swipe by the service code of its track and by what happened to the chip before: how often it could not be read
/// since the last card that could, and whether it has no application that the terminal serves.
///
/// # Errors
/// [`MustInsert`] when the chip was not tried as the rule demands.
pub fn stripe_condition(
    rule: FallbackRule,
    service_code: Option<[u8; 3]>,
    unreadable: u8,
    no_application: bool,
) -> Result<Condition, MustInsert> {
    let chip = service_code.is_some_and(|[first, ..]| matches!(first, b'2' | b'6'));
    if !chip {
        return Ok(Condition::Normal);
    }
    if rule.allowed && (no_application || unreadable >= rule.tries) {
        return Ok(Condition::Fallback);
    }
    if rule.improper_swipes && unreadable == 0 {
        return Ok(Condition::Improper);
    }
    Err(MustInsert)
}
