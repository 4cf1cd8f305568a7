//! The long runs over whole processes; each is a stage of its own in the test command.

mod disk;
mod independent;
mod kills;
mod mutation;
