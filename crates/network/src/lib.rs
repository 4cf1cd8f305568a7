//! The switch between members: sign-on, routing by BIN, in flight, reversals.
