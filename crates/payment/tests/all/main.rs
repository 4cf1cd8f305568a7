//! The language of all parties from outside: the verdict over all evidence, messages over real bytes, the loop as text.

mod certificates;
mod downloads;
mod messages;
mod pictures;
mod verdicts;
