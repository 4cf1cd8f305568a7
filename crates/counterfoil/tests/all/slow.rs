//! The long runs over whole processes; each is a stage of its own in the test command.

mod books;
mod browser;
mod contract;
mod disk;
mod draw;
mod emupos;
mod independent;
mod kills;
mod mutation;
mod paper;
