//! The POS centre: terminals, in flight, reversals, evidence of paper, the one-sided queue.
