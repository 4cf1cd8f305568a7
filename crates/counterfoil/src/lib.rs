//! The program: runs the parties on real sockets and disks.
