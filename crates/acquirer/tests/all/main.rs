//! The acquirer driven with real bytes: signing on, selling, reversing, confirming, restarting, and where the money is.

mod certifying;
mod confirming;
mod kinds;
mod outs;
mod recalling;
mod reversing;
mod selling;
mod signing;
mod wheres;
mod world;
