//! The acquirer driven with real bytes: signing on, selling, reversing, confirming, restarting, and where the money is.

mod attacks;
mod batch;
mod certifying;
mod confirming;
mod declaring;
mod downloads;
mod guarding;
mod kinds;
mod notices;
mod outs;
mod recalling;
mod remedying;
mod reversing;
mod scanning;
mod selling;
mod signing;
mod wallets;
mod wheres;
mod world;
