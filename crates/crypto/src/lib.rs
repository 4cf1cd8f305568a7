//! PIN blocks, MACs, key wrapping and check values behind one security-module interface.
