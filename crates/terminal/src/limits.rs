//! Every maximum of this party, by name.

/// Completed sales kept for reprint and totals: more than a batch holds, so that none of an open batch is forgotten.
pub const COMPLETED_MAX: usize = payment::batch::BATCH_MAX + 201;
/// Cash payments kept.
pub const CASH_MAX: usize = 500;
/// Advices that wait for their answer; beyond it they go first.
pub const ADVICES_MAX: usize = 100;
/// Sales that wait for paper or their e-slip at the same time; beyond it the oldest shows none by itself.
pub const UNSLIPPED_MAX: usize = 32;
/// Sales taken back of which the acquirer has not heard that this terminal knows; beyond it the oldest is told again.
pub const NOTICES_MAX: usize = 32;
/// Questions about a sale of unknown outcome before it is reversed.
pub const QUERIES_MAX: u32 = 2;
/// Milliseconds between two questions while the acquirer reverses, and before an unanswered question is asked again.
pub const ASK_AGAIN_MS: u64 = 500;
/// A sale still in progress at the acquirer after so many times the terminal's time-out is reversed.
pub const PATIENCE: u64 = 3;
/// Messages of a download in vain, and beginnings anew, before it is given up until the next sign-on.
pub const DOWNLOAD_ATTEMPTS_MAX: u32 = 5;
/// Milliseconds between two attempts to sign on.
pub const SIGN_ON_RETRY_MS: u64 = 1_000;
