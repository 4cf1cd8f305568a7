//! Named maxima of the network; what is in flight and undelivered is bounded by `payment::relay`.

/// Closed requests, and closed advices, that are kept to answer a repeat as before.
///
/// Beyond it the oldest is forgotten, but never a sale whose reversal is undelivered. A forgotten request that came
/// again would be forwarded as a new one; that is safe because the issuer answers by the same key, and because a
/// request is not repeated by its acquirer once the acquirer's time-out passed. A forgotten advice is forwarded again,
/// and the issuer repeats its answer.
pub const CLOSED_MAX: usize = 400_000;
