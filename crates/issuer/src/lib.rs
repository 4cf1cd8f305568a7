//! The bank: cards, PIN, funds, suspense, reversals, notices to the cardholder.
