//! Double entry over integer minor units: accounts, transfers, pending, posted, voided, expired.
