//! Every maximum of this party, by name.

/// Sales kept in memory for duplicates, queries and reversals; the oldest closed ones are forgotten first.
pub const SALES_MAX: usize = 1_000_000;
/// Sales above [`SALES_MAX`] while open ones cannot be forgotten; beyond it new sales are refused.
pub const OPEN_SALES_SPARE: usize = 100_000;
/// Reversals of sales never seen that are remembered.
pub const TOMBSTONES_MAX: usize = 200_000;
/// Items handled in one tick.
pub const TICK_MAX: usize = 256;
/// Milliseconds between two attempts to sign on to the network.
pub const SIGN_ON_RETRY_MS: u64 = 1_000;
/// When a terminal asks about a sale in progress, it is told to ask again after this many milliseconds.
pub const ASK_AGAIN_MS: u32 = 500;
/// Records of one batch upload: more than the counts of field 48 can name are not kept.
pub const UPLOADED_MAX: usize = 2_000;
/// Breaks kept for people to look at; the oldest are in the journal only.
pub const BREAKS_MAX: usize = 10_000;
