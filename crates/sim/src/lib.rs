//! The whole world on one thread from one seed, with faults and checkers.
