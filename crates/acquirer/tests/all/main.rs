//! The acquirer driven with real bytes: signing on, selling, reversing, confirming, restarting, and where the money is.

mod attacks;
mod certifying;
mod confirming;
mod guarding;
mod kinds;
mod outs;
mod reversing;
mod selling;
mod signing;
mod wheres;
mod world;
