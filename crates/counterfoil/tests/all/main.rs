//! The wiring of the program, tried on real sockets and disks.
